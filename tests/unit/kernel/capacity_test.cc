// SPDX-License-Identifier: Apache-2.0
#include "kernel/capacity.h"
#include "plans.h"

#include <cerrno>
#include <gmock/gmock.h>

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

namespace {

// A table for policy, as large as the web plan needs it, and a plan that needs one entry more.
struct Full {
    const char* map;
    const char* option;
    uint32_t Capacities::*capacity;
    uint32_t room;
    void (*more)(Plan& plan);
};

// Added to web's rule set, with its rows under a number that is new.
PlanRuleset& edit_ruleset(Plan& plan)
{
    auto& set = plan.rulesets.edit(0);
    set.key += " changed";
    return set;
}

class FitFull : public testing::TestWithParam<Full> {};

} // namespace

TEST_P(FitFull, OneEntryTooManyIsRefusedAndOneMoreEntryIsEnough)
{
    const Full& table = GetParam();
    Plan plan = web_plan();
    table.more(plan);
    Capacities capacities;
    capacities.*table.capacity = table.room;
    const auto fits = check_fit(web_plan(), plan, capacities);
    ASSERT_FALSE(fits);
    EXPECT_EQ(fits.error().code, E2BIG);
    EXPECT_THAT(fits.error().message, testing::StartsWith(table.map));
    EXPECT_THAT(fits.error().message, testing::EndsWith(std::string("raise ") + table.option));
    capacities.*table.capacity = table.room + 1;
    EXPECT_TRUE(check_fit(web_plan(), plan, capacities));
}

static const Full full_tables[] = {
    {"endpoint_map", "--max-endpoints", &Capacities::endpoints, 1,
     [](Plan& plan) { add_endpoint(plan, API_INTERFACE, "api", PLAN_RULESET_NONE); }},
    {"counter_map", "--max-endpoints", &Capacities::endpoints, 1,
     [](Plan& plan) { plan.endpoints.edit(0).pod = "another"; }},
    {"address_map", "--max-addresses", &Capacities::addresses, 2,
     [](Plan& plan) { add_identity(plan, "api", "10.1.0.30"); }},
    {"service_map", "--max-services", &Capacities::services, 0,
     [](Plan& plan) {
         plan.services.push_back({*IpAddress::parse("10.96.0.1"), 80, 6, 1});
     }},
    {"ruleset_map", "--max-rulesets", &Capacities::rulesets, 1,
     [](Plan& plan) { edit_ruleset(plan); }},
    {"peer_map", "--max-peers", &Capacities::peers, 1, [](Plan& plan) { edit_ruleset(plan); }},
    {"cidr_map", "--max-cidrs", &Capacities::cidrs, 1, [](Plan& plan) { edit_ruleset(plan); }},
    {"port_map", "--max-ports", &Capacities::ports, 1, [](Plan& plan) { edit_ruleset(plan); }},
    {"rule_map", "--max-rules", &Capacities::rules, 3,
     [](Plan& plan) { add_rule(plan, "another", 0); }},
};
INSTANTIATE_TEST_SUITE_P(Tables, FitFull, testing::ValuesIn(full_tables),
                         [](const auto& table) { return std::string(table.param.map); });
