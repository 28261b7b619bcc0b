// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/rule_view.h"

#include "ebpfctl/local_endpoint.h"
#include "model/names.h"

namespace ebpfd::ctl {

Json rule_fields(const Rules& rules, uint32_t number)
{
    auto found = rules.find(number);
    if (number == 0 || found == rules.end())
        return {{"policy", ""}, {"rule", ""}, {"file", ""}, {"line", 0}};
    const rule_info& rule = found->second;
    return {
        {"policy", policy_text(rule.kind, text_of(rule.policy_namespace), text_of(rule.policy))},
        {"rule", rule_text(rule.kind, rule.direction, rule.index)},
        {"file", text_of(rule.file)},
        {"line", rule.line}};
}

Json enforced_rule(const Rules& rules, uint32_t number)
{
    return number == 0 ? Json(nullptr) : rule_fields(rules, number);
}

bool bit_is_set(const bitmap& bits, uint32_t bit)
{
    return ((bits.word[bit / 64] >> (bit % 64)) & 1) != 0;
}

Json set_bits(const bitmap& bits)
{
    Json list = Json::array();
    for (uint32_t bit = 0; bit < RULES_MAX; bit++)
        if (bit_is_set(bits, bit))
            list.push_back(bit);
    return list;
}

} // namespace ebpfd::ctl
