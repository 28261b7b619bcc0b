// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"
#include "policy/bitset.h"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace ebpfd {

// The inverted index of numbered objects: label to the objects that carry it.
class LabelIndex {
public:
    // Under a number that no object has.
    void add(uint32_t number, const Labels& labels);
    // With the labels it was added with.
    void remove(uint32_t number, const Labels& labels);
    // The objects that the selector matches. Each selector is evaluated once; the reference
    // stays valid until objects come or go.
    const Bitset& select(const Selector& selector);
    void forget_selections() { selected_.clear(); }

private:
    using Numbers = std::vector<uint32_t>; // sorted
    struct Carriers {
        Numbers all;
        std::unordered_map<std::string, Numbers> by_value;
    };

    Bitset evaluate(const Requirement& requirement) const;

    Bitset objects_;
    std::unordered_map<std::string, Carriers> keys_;
    std::map<Selector, Bitset> selected_;
};

} // namespace ebpfd
