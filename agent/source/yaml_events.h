// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "source/tree_builder.h"

#include <map>
#include <optional>
#include <string>
#include <vector>
#include <yaml.h>

namespace ebpfd {

Place place_of(const yaml_mark_t& mark);

// Builds trees from libyaml's events, taken in their order.
class YamlEvents {
public:
    using Outcome = TreeBuilder::Outcome;

    explicit YamlEvents(const std::string& file) : builder_(file) {}

    // An error is final: no event may follow it.
    Outcome take(const yaml_event_t& event);
    std::vector<Value> take_documents() { return std::move(documents_); }

private:
    struct Anchored {
        Value value;
        TreeSize size;
    };

    void end_document();
    Outcome take_scalar(const yaml_event_t& event);
    Outcome take_alias(const yaml_event_t& event);
    Outcome add_key(Place place, const Value& key, bool merge);
    Outcome open(Value::Kind kind, Place place, const yaml_char_t* anchor);
    Outcome close();
    Outcome keep(const std::string& anchor, const Value& value);

    TreeBuilder builder_;
    std::vector<Value> documents_;
    std::vector<std::string> open_anchors_; // "" for a value without one
    std::map<std::string, std::optional<Anchored>, std::less<>> anchors_; // empty while it is open
};

} // namespace ebpfd
