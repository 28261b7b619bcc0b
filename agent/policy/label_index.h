// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"
#include "policy/bitset.h"

#include <map>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ebpfd {

// The inverted index of a list of objects: label to the objects that carry it. The labels
// must outlive the index.
class LabelIndex {
public:
    // Adds the next object; objects are numbered 0, 1, 2 … All are added before select().
    void add(const Labels& labels);
    // The objects that the selector matches. Each selector is evaluated once; the reference
    // stays valid as long as the index.
    const Bitset& select(const Selector& selector);

private:
    struct Carriers {
        std::vector<uint32_t> all;
        std::unordered_map<std::string_view, std::vector<uint32_t>> by_value;
    };

    Bitset evaluate(const Requirement& requirement) const;

    uint32_t count_ = 0;
    std::unordered_map<std::string_view, Carriers> keys_;
    std::map<Selector, Bitset> selected_;
};

} // namespace ebpfd
