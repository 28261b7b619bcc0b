// SPDX-License-Identifier: Apache-2.0
#include "kernel/capacity.h"
#include "plans.h"

#include <cerrno>
#include <gtest/gtest.h>

using namespace ebpfd;

// The same with web's rule set changed: both are there until the old one is retired.
static Plan changed_plan()
{
    Plan plan = web_plan();
    plan.rulesets.edit(0).key += " changed";
    return plan;
}

TEST(Fit, APlanInForceNeedsNoMoreRoom)
{
    Capacities capacities;
    capacities.rulesets = 1;
    EXPECT_TRUE(check_fit(web_plan(), web_plan(), capacities));
}

TEST(Fit, AChangeNeedsRoomForBothRuleSets)
{
    Capacities capacities;
    capacities.rulesets = 2;
    EXPECT_TRUE(check_fit(web_plan(), changed_plan(), capacities));
    capacities.rulesets = 1;
    const auto fits = check_fit(web_plan(), changed_plan(), capacities);
    ASSERT_FALSE(fits);
    EXPECT_EQ(fits.error().code, E2BIG);
    EXPECT_NE(fits.error().message.find("raise --max-rulesets"), std::string::npos)
        << fits.error().message;
}
