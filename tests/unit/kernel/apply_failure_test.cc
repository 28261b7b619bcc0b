// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "kernel/encode.h"
#include "kernel/maps.h"
#include "plans.h"

#include <algorithm>
#include <cerrno>

using namespace ebpfd;

namespace {

// The bytes of all policy maps: two are equal if nothing differs.
std::string contents(const Maps& maps)
{
    std::string all;
    auto add = [&](const auto& map) {
        std::vector<std::string> rows;
        for (const auto& [key, value] : value_of(map.entries()))
            rows.push_back(std::string(reinterpret_cast<const char*>(&key), sizeof(key)) +
                           std::string(reinterpret_cast<const char*>(&value), sizeof(value)));
        std::ranges::sort(rows);
        for (const auto& row : rows)
            all += row;
    };
    add(maps.endpoints);
    add(maps.names);
    add(maps.addresses);
    add(maps.services);
    add(maps.rulesets);
    add(maps.peers);
    add(maps.cidrs);
    add(maps.ports);
    add(maps.rules);
    return all;
}

class ApplyFailure : public testing::Test {
protected:
    void SetUp() override
    {
        datapath_ = open_datapath(bpffs_);
        ASSERT_TRUE(datapath_);
        maps_ = value_of(Maps::open(bpffs_.maps()));
        ASSERT_TRUE(datapath_->apply(web_plan()));
        ASSERT_TRUE(datapath_->settle());
        before_ = contents(maps_);
    }

    Bpffs bpffs_;
    std::unique_ptr<Datapath> datapath_;
    Maps maps_;
    std::string before_;
};

Plan crowded_plan()
{
    Plan plan = web_plan();
    plan.rulesets.edit(0).key = "too many ports";
    const PlanPort first = plan.rulesets.edit(0).ports[0];
    for (uint16_t port = 100; port < 200; ++port)
        plan.rulesets.edit(0).ports.push_back({6, port, 16, first.rules});
    return plan;
}

// Reaches every table, and the addresses last but two.
Plan wide_plan()
{
    Plan plan = web_plan();
    plan.rulesets.edit(0).key = "wide";
    const uint32_t allow = add_rule(plan, "other", 0);
    plan.rulesets.edit(0).bits.push_back({allow, ACTION_ALLOW, TIER_NETWORK_POLICY});
    plan.services.push_back({*IpAddress::parse("10.96.0.1"), 80, 6, 1});
    for (int i = 100; i < 110; ++i)
        add_identity(plan, "pod " + std::to_string(i), "10.1.0." + std::to_string(i));
    return plan;
}

} // namespace

TEST_F(ApplyFailure, ACapacityIsCheckedBeforeTheKernelIsTouched)
{
    const auto refused = datapath_->apply(crowded_plan());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, E2BIG);
    EXPECT_EQ(refused.error().message,
              "port_map needs 102 entries while the change is made (1 in use, 101 new) and holds "
              "64: raise --max-ports");
    EXPECT_EQ(contents(maps_), before_);
    EXPECT_EQ(datapath_->generation(), 2u);
    EXPECT_TRUE(datapath_->apply(wide_plan()));
}

TEST_F(ApplyFailure, EveryTableNamesItsOption)
{
    const auto message_of = [&](const Plan& plan) {
        const auto refused = datapath_->apply(plan);
        return refused ? std::string("applied") : refused.error().message;
    };
    Plan rules = web_plan();
    for (uint16_t i = 2; i < 16; ++i) // 15 fit: number 0 is none
        add_rule(rules, "web-policy", i);
    EXPECT_NE(message_of(rules).find("--max-rules"), std::string::npos);
    Plan endpoints = web_plan();
    for (uint32_t i = 1; i < 9; ++i)
        add_endpoint(endpoints, WEB_INTERFACE + i, "pod", PLAN_RULESET_NONE);
    EXPECT_NE(message_of(endpoints).find("--max-endpoints"), std::string::npos);
    Plan addresses = web_plan();
    for (int i = 100; i < 200; ++i)
        add_identity(addresses, std::to_string(i), "10.1.0." + std::to_string(i));
    EXPECT_NE(message_of(addresses).find("--max-addresses"), std::string::npos);
    EXPECT_EQ(contents(maps_), before_);
}

// Where pods come and go on the same interfaces, both are counted until the old ones are retired.
TEST_F(ApplyFailure, AllPodsReplacedAtOnceInAFullTableAreRefusedBeforeTheKernelIsTouched)
{
    const auto pods = [](const std::string& name) {
        Plan plan = web_plan();
        for (uint32_t i = 1; i < 8; ++i)
            add_endpoint(plan, WEB_INTERFACE + i, name + std::to_string(i), PLAN_RULESET_NONE);
        return plan;
    };
    ASSERT_TRUE(datapath_->apply(pods("first")));
    ASSERT_TRUE(datapath_->settle());
    const auto before = contents(maps_);
    const auto refused = datapath_->apply(pods("second"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message,
              "counter_map needs 15 entries while the change is made (8 in use, 7 new) and holds 8: "
              "raise --max-endpoints");
    EXPECT_EQ(contents(maps_), before);
}

TEST_F(ApplyFailure, ARuleSetOfTooManyRulesIsRefused)
{
    Plan plan = web_plan();
    plan.rulesets.edit(0).bits.resize(RULES_MAX + 1);
    EXPECT_FALSE(datapath_->apply(plan));
    EXPECT_EQ(contents(maps_), before_);
}

TEST_F(ApplyFailure, AFailedWriteIsTakenBackAndTheNextApplyWorks)
{
    // Somebody else fills the address table behind the agent's back.
    std::vector<address_key> strangers;
    for (uint8_t i = 0; i < 62; ++i)
        strangers.push_back({{0xfd, i}});
    for (const auto& key : strangers)
        ASSERT_TRUE(maps_.addresses.update(key, {}));
    const auto full = contents(maps_);
    const auto refused = datapath_->apply(wide_plan());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, E2BIG);
    EXPECT_EQ(datapath_->generation(), 2u);
    EXPECT_NE(contents(maps_), full); // unreferenced, and to be retired
    ASSERT_TRUE(datapath_->settle());
    EXPECT_EQ(contents(maps_), full);

    EXPECT_FALSE(datapath_->apply(wide_plan()));
    ASSERT_TRUE(maps_.addresses.erase(strangers));
    const auto report = value_of(datapath_->apply(wide_plan()));
    EXPECT_EQ(report.generation, 3u);
    ASSERT_TRUE(datapath_->settle());
    EXPECT_EQ(value_of(maps_.addresses.entries()).size(), 12u);
    EXPECT_EQ(value_of(maps_.rulesets.entries()).size(), 1u);
}

TEST_F(ApplyFailure, AFailedWriteRestoresSlotsThatHadChanged)
{
    // The endpoints are written last: all else is in idle slots by then.
    for (uint32_t i = 0; i < 7; ++i)
        ASSERT_TRUE(maps_.endpoints.update(i + 1, endpoint{}));
    const auto full = contents(maps_);
    Plan plan = wide_plan();
    std::swap(plan.addresses.edit()[0].identity, plan.addresses.edit()[1].identity);
    add_endpoint(plan, API_INTERFACE, "api", PLAN_RULESET_NONE);
    ASSERT_FALSE(datapath_->apply(plan));
    const auto swapped =
        value_of(maps_.addresses.lookup(encode_address(*IpAddress::parse("10.1.0.10"))));
    EXPECT_NE(swapped->number[0], swapped->number[1]);
    ASSERT_TRUE(datapath_->settle());
    EXPECT_EQ(contents(maps_), full);
}
