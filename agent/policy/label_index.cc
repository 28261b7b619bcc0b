// SPDX-License-Identifier: Apache-2.0
#include "policy/label_index.h"

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

} // namespace

void LabelIndex::add(const Labels& labels)
{
    for (const auto& [key, value] : labels) {
        Carriers& carriers = keys_[key];
        carriers.all.push_back(count_);
        carriers.by_value[value].push_back(count_);
    }
    ++count_;
}

const Bitset& LabelIndex::select(const Selector& selector)
{
    const auto known = selected_.find(selector);
    if (known != selected_.end())
        return known->second;
    Bitset result(count_);
    result.fill();
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
    Bitset result(count_);
    if (negative)
        result.fill();
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
