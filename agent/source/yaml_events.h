// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "source/bounded_input.h"
#include "source/tree_builder.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

namespace ebpfd {

Place place_of(const YAML::Mark& mark);

// Builds trees from yaml-cpp's events. Its parser can be stopped only by an exception of its
// own: an event that finds an error keeps it and throws a YAML::ParserException.
class YamlEvents : public YAML::EventHandler {
public:
    YamlEvents(std::string_view text, const std::string& file, BoundedInput& input)
        : text_(text), input_(input), builder_(file)
    {
    }

    std::vector<Value> take_documents() { return std::move(documents_); }
    const std::optional<FileError>& error() const { return error_; }
    FileError error_at(const YAML::Mark& mark, std::string reason) const;
    // Where the last value begins.
    const YAML::Mark& reached() const { return reached_; }
    // Where the last scalar begins that was not a plain one.
    const YAML::Mark& last_quoted() const { return last_quoted_; }

    void OnDocumentStart(const YAML::Mark& mark) override;
    void OnDocumentEnd() override;
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override;
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override;
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override;
    void OnMapEnd() override { close(); }

private:
    struct Anchored {
        Value value;
        TreeSize size;
    };

    [[noreturn]] void stop(FileError error);
    void reach(const YAML::Mark& mark);
    void check(TreeBuilder::Outcome outcome);
    std::string_view rest_from(const YAML::Mark& mark) const;
    void add_key(const YAML::Mark& mark, const Value& key, bool merge);
    void open(Value::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor);
    void close();
    void keep(YAML::anchor_t anchor, const Value& value);

    std::string_view text_;
    BoundedInput& input_;
    TreeBuilder builder_;
    std::vector<Value> documents_;
    std::optional<FileError> error_;
    bool started_ = false;
    YAML::Mark reached_;
    YAML::Mark last_quoted_ = YAML::Mark::null_mark();
    std::vector<YAML::anchor_t> open_anchors_;
    std::map<YAML::anchor_t, Anchored> anchors_;
};

} // namespace ebpfd
