// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "kernel/encode.h"
#include "kernel/maps.h"
#include "plans.h"

using namespace ebpfd;

namespace {

class Restart : public testing::Test {
protected:
    void SetUp() override { start(); }
    void start()
    {
        datapath_.reset();
        datapath_ = open_datapath(bpffs_);
        ASSERT_TRUE(datapath_);
        maps_ = value_of(Maps::open(bpffs_.maps()));
    }
    endpoint endpoint_of(uint32_t ifindex)
    {
        return value_of(maps_.endpoints.lookup(ifindex)).value_or(endpoint{});
    }
    std::map<std::string, uint32_t> rule_numbers()
    {
        std::map<std::string, uint32_t> numbers;
        for (const auto& [number, info] : value_of(maps_.rules.entries()))
            numbers.emplace(std::string(info.policy) + std::to_string(info.index), number);
        return numbers;
    }

    Bpffs bpffs_;
    std::unique_ptr<Datapath> datapath_;
    Maps maps_;
};

} // namespace

TEST_F(Restart, RulesAndEndpointsKeepTheirNumbers)
{
    Plan plan = web_plan();
    add_endpoint(plan, API_INTERFACE, "api", PLAN_RULESET_NONE);
    ASSERT_TRUE(datapath_->apply(plan));
    const auto rules = rule_numbers();
    const uint32_t index = endpoint_of(API_INTERFACE).index;
    start();
    plan = {};
    add_rule(plan, "earlier", 0); // the plan's own indexes differ now
    const uint32_t allow = add_rule(plan, "web-policy", 0);
    const uint32_t isolate = add_rule(plan, "web-policy", 1);
    const uint32_t db = add_identity(plan, "db", "10.1.0.20");
    add_endpoint(plan, API_INTERFACE, "api", add_ruleset(plan, "s", allow, isolate, db));
    ASSERT_TRUE(datapath_->apply(plan));
    const auto after = rule_numbers();
    EXPECT_EQ(after.at("web-policy0"), rules.at("web-policy0"));
    EXPECT_EQ(after.at("web-policy1"), rules.at("web-policy1"));
    EXPECT_EQ(after.at("earlier0"), 3u);
    EXPECT_EQ(endpoint_of(API_INTERFACE).index, index);
}

TEST_F(Restart, ThePolicyThatIsInForceIsNotWrittenAgain)
{
    ASSERT_TRUE(datapath_->apply(web_plan()));
    ASSERT_TRUE(datapath_->settle());
    const uint32_t generation = datapath_->generation();
    start();
    const auto report = value_of(datapath_->apply(web_plan()));
    EXPECT_EQ(report.changes, 0u);
    EXPECT_EQ(datapath_->generation(), generation);
    const auto next = value_of(datapath_->apply({}));
    EXPECT_GT(next.changes, 0u);
    ASSERT_TRUE(datapath_->settle());
    EXPECT_TRUE(value_of(maps_.rulesets.entries()).empty());
    EXPECT_TRUE(value_of(maps_.cidrs.entries()).empty());
}

TEST_F(Restart, AChangedRuleSetGetsANumberNeverUsed)
{
    Plan plan = web_plan();
    ASSERT_TRUE(datapath_->apply(plan));
    plan.rulesets.edit(0).key = "second";
    plan.rulesets.edit(0).cidrs[0].cidr = *Cidr::parse("198.51.100.0/24");
    ASSERT_TRUE(datapath_->apply(plan));
    ASSERT_TRUE(datapath_->settle());
    const auto before = value_of(maps_.rulesets.entries());
    start();
    plan.rulesets.edit(0).cidrs[0].cidr = *Cidr::parse("203.0.113.0/24");
    ASSERT_TRUE(datapath_->apply(plan));
    ASSERT_TRUE(datapath_->settle());
    const auto after = value_of(maps_.rulesets.entries());
    ASSERT_EQ(after.size(), 1u);
    EXPECT_GT(after[0].first, before[0].first);
    EXPECT_EQ(value_of(maps_.peers.entries()).size(), 1u);
    EXPECT_EQ(value_of(maps_.cidrs.entries()).size(), 1u);
}

TEST_F(Restart, AddressesThatPartedGetIdentitiesNeverUsed)
{
    Plan plan = web_plan();
    plan.addresses.push_back({*IpAddress::parse("10.1.0.21"), 1}); // a second db
    ASSERT_TRUE(datapath_->apply(plan));
    ASSERT_TRUE(datapath_->settle());
    const auto in_force = [&](const std::string& address) {
        const auto key = encode_address(*IpAddress::parse(address));
        const auto slots = value_of(maps_.addresses.lookup(key)).value_or(identity_slots{});
        return slots.number[datapath_->generation() & 1];
    };
    const uint32_t web = in_force("10.1.0.10");
    const uint32_t db = in_force("10.1.0.20");
    start();
    plan = web_plan();
    add_identity(plan, "db, other labels", "10.1.0.21");
    ASSERT_TRUE(datapath_->apply(plan));
    EXPECT_EQ(in_force("10.1.0.10"), web);
    EXPECT_GT(in_force("10.1.0.20"), db);
    EXPECT_GT(in_force("10.1.0.21"), db);
    EXPECT_NE(in_force("10.1.0.20"), in_force("10.1.0.21"));
}

TEST_F(Restart, TheOldPolicyStaysUntilTheFirstApply)
{
    ASSERT_TRUE(datapath_->apply(web_plan()));
    const auto before = endpoint_of(WEB_INTERFACE);
    start();
    const auto after = endpoint_of(WEB_INTERFACE);
    const uint32_t parity = datapath_->generation() & 1;
    EXPECT_EQ(after.slot[parity].ruleset[DIRECTION_INGRESS],
              before.slot[parity].ruleset[DIRECTION_INGRESS]);
    EXPECT_EQ(value_of(maps_.rulesets.entries()).size(), 1u);
}

TEST_F(Restart, WhatACrashLeftUnsettledIsSettledFirst)
{
    ASSERT_TRUE(datapath_->apply(web_plan()));
    ASSERT_TRUE(datapath_->settle());
    // As after a crash before the flip: a new address, and an endpoint's idle slot.
    const uint32_t parity = datapath_->generation() & 1;
    identity_slots slots{};
    slots.number[parity ^ 1] = 99;
    const auto stranger = encode_address(*IpAddress::parse("10.9.9.9"));
    ASSERT_TRUE(maps_.addresses.update(stranger, slots));
    auto row = endpoint_of(WEB_INTERFACE);
    row.slot[parity ^ 1].ruleset[DIRECTION_INGRESS] = 999;
    ASSERT_TRUE(maps_.endpoints.update(WEB_INTERFACE, row));
    start();
    ASSERT_TRUE(datapath_->settle());
    EXPECT_FALSE(value_of(maps_.addresses.lookup(stranger)).has_value());
    row = endpoint_of(WEB_INTERFACE);
    EXPECT_EQ(row.slot[0].ruleset[DIRECTION_INGRESS], row.slot[1].ruleset[DIRECTION_INGRESS]);
    EXPECT_NE(row.slot[0].ruleset[DIRECTION_INGRESS], 999u);
}

TEST_F(Restart, FlowsWithoutAnEndpointAreNotInherited)
{
    flow_key key{};
    key.ifindex = WEB_INTERFACE;
    add_flow(bpffs_, key, {});
    start();
    ASSERT_TRUE(datapath_->apply(web_plan()));
    EXPECT_EQ(value_of(maps_.flows.size()), 0u);
}
