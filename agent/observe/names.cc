// SPDX-License-Identifier: Apache-2.0
#include "observe/names.h"

#include "model/names.h"

#include <fmt/format.h>

namespace ebpfd {

std::string RuleName::policy_text() const
{
    if (kind == RULE_SELF)
        return "";
    std::string out;
    for (size_t start = 0; start <= policy.size();) {
        const size_t end = std::min(policy.find(',', start), policy.size());
        out += fmt::format("{}{}/{}", start > 0 ? "," : "", policy_namespace,
                           std::string_view(policy).substr(start, end - start));
        start = end + 1;
    }
    return out;
}

std::string RuleName::rule_text() const
{
    if (kind == RULE_SELF)
        return "self";
    return kind == RULE_ISOLATION ? "isolation" : fmt::format("{}[{}]", direction_name(dir), index);
}

} // namespace ebpfd
