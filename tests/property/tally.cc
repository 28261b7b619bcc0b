// SPDX-License-Identifier: Apache-2.0
#include "property/tally.h"

#include "model/names.h"

#include <gtest/gtest.h>
#include <iostream>

namespace property {

void Tally::add(const Verdict& verdict)
{
    ++counts_[verdict.why];
    if (verdict.turned)
        ++verdicts_[verdict.allow ? VERDICT_WOULD_DENY : VERDICT_WOULD_ALLOW];
}

void Tally::expect_all_reasons(size_t least) const
{
    for (const reason why : {REASON_NO_POLICY, REASON_RULE, REASON_NODE, REASON_SELF, REASON_DENIED,
                             REASON_SPOOFED, REASON_UNKNOWN_POD}) {
        std::cout << ebpfd::reason_name(why) << ": " << counts_[why] << " packets\n";
        EXPECT_GE(counts_[why], least) << ebpfd::reason_name(why);
    }
    for (const verdict turned : {VERDICT_WOULD_DENY, VERDICT_WOULD_ALLOW}) {
        std::cout << ebpfd::verdict_name(turned) << ": " << verdicts_[turned] << " packets\n";
        EXPECT_GE(verdicts_[turned], least) << ebpfd::verdict_name(turned);
    }
}

} // namespace property
