// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/rule_view.h"

#include "ebpfctl/local_endpoint.h"
#include "model/names.h"

#include <algorithm>
#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

std::string rule_text(const rule_info& rule)
{
    if (rule.kind == RULE_ISOLATION)
        return "isolation";
    if (rule.kind == RULE_SELF)
        return "self";
    return fmt::format("{}[{}]", direction_name(rule.direction), rule.index);
}

// "ns/name", or "ns/a,ns/b" where several policies isolate; "" for a rule of no policy.
std::string policy_text(const rule_info& rule)
{
    std::string text, names = text_of(rule.policy);
    for (size_t start = 0; start < names.size();) {
        size_t end = std::min(names.find(',', start), names.size());
        text += text.empty() ? "" : ",";
        text += text_of(rule.policy_namespace) + "/" + names.substr(start, end - start);
        start = end + 1;
    }
    return text;
}

} // namespace

Json rule_fields(const Rules& rules, uint32_t number)
{
    auto found = rules.find(number);
    if (number == 0 || found == rules.end())
        return {{"policy", ""}, {"rule", ""}, {"file", ""}, {"line", 0}};
    const rule_info& rule = found->second;
    return {{"policy", policy_text(rule)},
            {"rule", rule_text(rule)},
            {"file", text_of(rule.file)},
            {"line", rule.line}};
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
