// SPDX-License-Identifier: Apache-2.0
#include "policy/label_index.h"

#include <algorithm>

namespace ebpfd {

namespace {

void exclude(Bitset& set, const std::vector<uint32_t>& numbers)
{
    for (const uint32_t number : numbers)
        set.clear(number);
}

void include(Bitset& set, const std::vector<uint32_t>& numbers)
{
    for (const uint32_t number : numbers)
        set.set(number);
}

void insert(std::vector<uint32_t>& numbers, uint32_t number)
{
    numbers.insert(std::ranges::upper_bound(numbers, number), number);
}

void erase(std::vector<uint32_t>& numbers, uint32_t number)
{
    const auto at = std::ranges::lower_bound(numbers, number);
    if (at != numbers.end() && *at == number)
        numbers.erase(at);
}

} // namespace

void LabelIndex::add(uint32_t number, const Labels& labels)
{
    for (const auto& [key, value] : labels) {
        Carriers& carriers = keys_[key];
        insert(carriers.all, number);
        insert(carriers.by_value[value], number);
    }
    objects_.set(number);
    selected_.clear();
}

void LabelIndex::remove(uint32_t number, const Labels& labels)
{
    for (const auto& [key, value] : labels) {
        const auto carriers = keys_.find(key);
        if (carriers == keys_.end())
            continue;
        erase(carriers->second.all, number);
        const auto with_value = carriers->second.by_value.find(value);
        if (with_value == carriers->second.by_value.end())
            continue;
        erase(with_value->second, number);
        if (with_value->second.empty())
            carriers->second.by_value.erase(with_value);
        if (carriers->second.all.empty())
            keys_.erase(carriers);
    }
    objects_.clear(number);
    selected_.clear();
}

const Bitset& LabelIndex::select(const Selector& selector)
{
    const auto known = selected_.find(selector);
    if (known != selected_.end())
        return known->second;
    Bitset result = objects_;
    for (const Requirement& requirement : selector.requirements)
        result &= evaluate(requirement);
    return selected_.emplace(selector, std::move(result)).first->second;
}

Bitset LabelIndex::evaluate(const Requirement& requirement) const
{
    using Operator = Requirement::Operator;
    const bool negative =
        requirement.op == Operator::not_in || requirement.op == Operator::does_not_exist;
    const auto change = negative ? exclude : include;
    Bitset result = negative ? objects_ : Bitset();
    const auto carriers = keys_.find(requirement.key);
    if (carriers == keys_.end())
        return result;
    if (requirement.op == Operator::exists || requirement.op == Operator::does_not_exist) {
        change(result, carriers->second.all);
        return result;
    }
    for (const std::string& value : requirement.values) {
        const auto found = carriers->second.by_value.find(value);
        if (found != carriers->second.by_value.end())
            change(result, found->second);
    }
    return result;
}

} // namespace ebpfd
