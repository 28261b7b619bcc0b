// SPDX-License-Identifier: Apache-2.0
#include "observe/names.h"

#include "model/names.h"

namespace ebpfd {

std::string RuleName::policy_text() const
{
    return ebpfd::policy_text(kind, policy_namespace, policy);
}

std::string RuleName::rule_text() const
{
    return ebpfd::rule_text(kind, dir, index);
}

} // namespace ebpfd
