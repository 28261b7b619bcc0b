// SPDX-License-Identifier: Apache-2.0
#include "property/tally.h"

#include "model/names.h"

#include <gtest/gtest.h>
#include <iostream>

namespace property {

void Tally::expect_all_reasons(size_t least) const
{
    for (const reason why : {REASON_NO_POLICY, REASON_RULE, REASON_NODE, REASON_SELF, REASON_DENIED,
                             REASON_SPOOFED, REASON_UNKNOWN_POD}) {
        std::cout << ebpfd::reason_name(why) << ": " << counts_[why] << " packets\n";
        EXPECT_GE(counts_[why], least) << ebpfd::reason_name(why);
    }
}

} // namespace property
