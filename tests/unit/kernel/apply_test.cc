// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "kernel/encode.h"
#include "kernel/maps.h"
#include "plans.h"

#include <algorithm>

using namespace ebpfd;

namespace {

class Apply : public testing::Test {
protected:
    void SetUp() override
    {
        datapath_ = open_datapath(bpffs_);
        ASSERT_TRUE(datapath_);
        read_ = read_maps(bpffs_);
        ASSERT_TRUE(read_);
        maps_ = value_of(Maps::open(bpffs_.maps()));
    }
    void restart()
    {
        datapath_.reset();
        datapath_ = open_datapath(bpffs_);
        ASSERT_TRUE(datapath_);
    }
    ApplyReport apply(const Plan& plan) { return value_of(datapath_->apply(plan)); }
    void settle() { ASSERT_TRUE(datapath_->settle()); }

    identity_slots slots(const std::string& address)
    {
        const auto value =
            value_of(maps_.addresses.lookup(encode_address(*IpAddress::parse(address))));
        return value.value_or(identity_slots{});
    }
    // In force under the generation of now.
    uint32_t identity(const std::string& address)
    {
        return slots(address).number[datapath_->generation() & 1];
    }
    endpoint endpoint_of(uint32_t ifindex)
    {
        return value_of(maps_.endpoints.lookup(ifindex)).value_or(endpoint{});
    }
    uint32_t ingress_of(uint32_t ifindex)
    {
        return endpoint_of(ifindex).slot[datapath_->generation() & 1].ruleset[DIRECTION_INGRESS];
    }
    uint32_t rule_number(const std::string& policy, uint16_t index)
    {
        for (const auto& [number, info] : value_of(read_->rules()))
            if (info.policy == policy && info.index == index)
                return number;
        return 0;
    }

    Bpffs bpffs_;
    std::unique_ptr<Datapath> datapath_;
    std::unique_ptr<PinnedMaps> read_;
    Maps maps_;
};

} // namespace

TEST(Encode, AListOfPoliciesThatIsTooLongEndsWithAWholeName)
{
    PlanRule rule;
    for (int number = 100; number < 200; ++number)
        rule.policy += (number == 100 ? "shop/p" : ",shop/p") + std::to_string(number);
    const std::string policies = encode_rule(rule).policy;
    EXPECT_TRUE(policies.starts_with("shop/p100,shop/p101,"));
    EXPECT_TRUE(policies.ends_with(",shop/p124,...")) << policies;
    rule.policy = std::string(255, 'a');
    EXPECT_EQ(encode_rule(rule).policy, rule.policy);
}

TEST_F(Apply, APlanIsReadBackAsItWasWritten)
{
    const auto report = apply(web_plan());
    EXPECT_EQ(report.generation, 2u);
    EXPECT_GT(report.changes, 0u);
    const uint32_t number = ingress_of(WEB_INTERFACE);
    ASSERT_GE(number, uint32_t{RULESET_FIRST});
    const auto set = value_of(read_->get_ruleset(number));
    EXPECT_EQ(set.count, 2u);
    EXPECT_EQ(set.flags, uint32_t{RULESET_HAS_CIDRS | RULESET_HAS_PORTS | RULESET_HAS_PEERS |
                                  RULESET_ENFORCES});
    EXPECT_EQ(set.tier_end[TIER_NETWORK_POLICY], 2u);
    EXPECT_EQ(set.rule[0].rule, rule_number("web-policy", 0));
    EXPECT_EQ(set.rule[1].action, ACTION_DENY);
    EXPECT_EQ(set.any_peer.word[0], 2u);
    const auto peers = value_of(read_->peers());
    ASSERT_EQ(peers.size(), 1u);
    EXPECT_EQ(peers[0].first.ruleset, number);
    EXPECT_EQ(peers[0].first.identity, identity("10.1.0.20"));
    EXPECT_EQ(peers[0].second.word[0], 1u);
    const auto cidrs = value_of(read_->cidrs());
    ASSERT_EQ(cidrs.size(), 1u);
    EXPECT_EQ(cidrs[0].first.prefixlen, CIDR_KEY_BASE + 120u);
    const auto ports = value_of(read_->ports());
    ASSERT_EQ(ports.size(), 1u);
    EXPECT_EQ(ports[0].first.port, 80u << 8);
    EXPECT_EQ(value_of(read_->rules()).at(rule_number("web-policy", 1)).line, 11u);
    EXPECT_STREQ(value_of(read_->endpoint_names())[0].second.pod, "web");
    EXPECT_EQ(report.warnings.size(), 1u); // there is no such interface
}

std::vector<PlanEndpoint> all(const Plan& plan)
{
    return {plan.endpoints.begin(), plan.endpoints.end()};
}

TEST_F(Apply, ClosingNewcomersLeavesWhatIsInForce)
{
    Plan both = web_plan();
    add_endpoint(both, API_INTERFACE, "api", PLAN_RULESET_NONE);
    EXPECT_EQ(value_of(datapath_->close(all(both))).changes, 0u) << "nothing was adopted";
    apply(web_plan());
    const uint32_t web = ingress_of(WEB_INTERFACE);
    EXPECT_GT(value_of(datapath_->close(all(both))).changes, 0u);
    EXPECT_EQ(ingress_of(WEB_INTERFACE), web);
    EXPECT_EQ(ingress_of(API_INTERFACE), uint32_t{RULESET_CLOSED});
    EXPECT_EQ(value_of(datapath_->close(all(both))).changes, 0u);
    both.endpoints.edit(0).pod = "another"; // which got the interface's number
    value_of(datapath_->close(all(both)));
    EXPECT_EQ(ingress_of(WEB_INTERFACE), uint32_t{RULESET_CLOSED});
    both.endpoints.edit(0).pod = "web";
    apply(both);
    EXPECT_EQ(ingress_of(WEB_INTERFACE), web);
    EXPECT_EQ(ingress_of(API_INTERFACE), uint32_t{RULESET_NONE});
}

TEST_F(Apply, TheSamePlanChangesNothing)
{
    apply(web_plan());
    const auto report = apply(web_plan());
    EXPECT_EQ(report.changes, 0u);
    EXPECT_EQ(report.generation, 2u);
    EXPECT_EQ(report.warnings.size(), 1u); // tried again
}

TEST_F(Apply, ANewAddressIsTheWorldUntilTheFlip)
{
    apply(web_plan());
    const auto before = slots("10.1.0.20");
    EXPECT_EQ(before.number[1], uint32_t{IDENTITY_WORLD});
    EXPECT_GE(before.number[0], uint32_t{IDENTITY_FIRST});
    settle();
    const auto after = slots("10.1.0.20");
    EXPECT_EQ(after.number[0], before.number[0]);
    EXPECT_EQ(after.number[1], before.number[0]);
}

TEST_F(Apply, AnAddressThatMovesKeepsItsOldIdentityInTheOldSlot)
{
    apply(web_plan());
    const uint32_t web = identity("10.1.0.10");
    const uint32_t db = identity("10.1.0.20");
    Plan plan = web_plan();
    std::swap(plan.addresses.edit()[0].identity, plan.addresses.edit()[1].identity);
    const auto report = apply(plan);
    EXPECT_EQ(report.generation, 3u);
    EXPECT_EQ(slots("10.1.0.10").number[0], web);
    EXPECT_EQ(slots("10.1.0.10").number[1], db);
    settle();
    EXPECT_EQ(slots("10.1.0.10").number[0], db);
}

TEST_F(Apply, AnAddressThatGoesIsErasedAfterTheGracePeriod)
{
    apply(web_plan());
    Plan plan = web_plan();
    plan.addresses.edit().pop_back();
    apply(plan);
    EXPECT_EQ(identity("10.1.0.20"), uint32_t{IDENTITY_WORLD});
    EXPECT_EQ(value_of(read_->addresses()).size(), 2u);
    settle();
    EXPECT_EQ(value_of(read_->addresses()).size(), 1u);
}

TEST_F(Apply, ServicesAndReservedIdentitiesAreWritten)
{
    Plan plan = web_plan();
    plan.addresses.push_back({*IpAddress::parse("10.96.0.1"), PLAN_IDENTITY_SERVICE});
    plan.addresses.push_back({*IpAddress::parse("10.1.0.1"), PLAN_IDENTITY_NODE});
    plan.services.push_back({*IpAddress::parse("10.96.0.1"), 80, 6, 1});
    apply(plan);
    settle();
    EXPECT_EQ(identity("10.96.0.1"), uint32_t{IDENTITY_SERVICE});
    EXPECT_EQ(identity("10.1.0.1"), uint32_t{IDENTITY_NODE});
    const auto services = value_of(read_->services());
    ASSERT_EQ(services.size(), 1u);
    EXPECT_EQ(services[0].first.port, 80u << 8);
    EXPECT_EQ(services[0].second.number[0], identity("10.1.0.20"));
}

TEST_F(Apply, ANewIdentityExtendsTheRuleSetInPlace)
{
    apply(web_plan());
    const uint32_t number = ingress_of(WEB_INTERFACE);
    Plan plan = web_plan();
    const uint32_t cache = add_identity(plan, "cache", "10.1.0.30");
    auto& peers = plan.rulesets.edit(0).peers;
    peers.push_back({cache, peers[0].rules});
    apply(plan);
    settle();
    EXPECT_EQ(ingress_of(WEB_INTERFACE), number);
    EXPECT_EQ(value_of(read_->rulesets()).size(), 1u);
    EXPECT_EQ(value_of(read_->peers()).size(), 2u);
    apply(web_plan());
    settle();
    EXPECT_EQ(ingress_of(WEB_INTERFACE), number);
    EXPECT_EQ(value_of(read_->peers()).size(), 1u);
}

TEST_F(Apply, AChangedRowOfAKnownRuleSetMakesANewOne)
{
    apply(web_plan());
    const uint32_t number = ingress_of(WEB_INTERFACE);
    Plan plan = web_plan();
    set_bit(plan.rulesets.edit(0).peers[0].rules, 1); // against the contract of keys
    apply(plan);
    EXPECT_NE(ingress_of(WEB_INTERFACE), number);
    EXPECT_EQ(value_of(read_->rulesets()).size(), 2u);
    settle();
    EXPECT_EQ(value_of(read_->rulesets()).size(), 1u);
}

TEST_F(Apply, AReplacedRuleSetIsRetiredWithAllItsRows)
{
    apply(web_plan());
    const uint32_t old = ingress_of(WEB_INTERFACE);
    Plan plan = web_plan();
    plan.rulesets.edit(0).key = "web ingress, changed";
    apply(plan);
    const auto row = endpoint_of(WEB_INTERFACE);
    const uint32_t parity = datapath_->generation() & 1;
    EXPECT_EQ(row.slot[parity ^ 1].ruleset[DIRECTION_INGRESS], old);
    EXPECT_EQ(value_of(read_->rulesets()).size(), 2u);
    settle();
    const auto sets = value_of(read_->rulesets());
    ASSERT_EQ(sets.size(), 1u);
    EXPECT_NE(sets[0].first, old);
    EXPECT_EQ(value_of(read_->peers()).size(), 1u);
    EXPECT_EQ(value_of(read_->cidrs()).size(), 1u);
    EXPECT_EQ(value_of(read_->ports()).size(), 1u);
    EXPECT_EQ(endpoint_of(WEB_INTERFACE).slot[0].ruleset[DIRECTION_INGRESS], sets[0].first);
}

TEST_F(Apply, AMovedRuleKeepsItsNumberAndTheGeneration)
{
    apply(web_plan());
    const uint32_t number = rule_number("web-policy", 0);
    Plan plan = web_plan();
    plan.rules.edit(0).origin.line = 99;
    const auto report = apply(plan);
    EXPECT_EQ(report.changes, 1u);
    EXPECT_EQ(report.generation, 2u);
    EXPECT_EQ(value_of(read_->rules()).at(number).line, 99u);
}

TEST_F(Apply, ANewRuleStartsWithoutHits)
{
    const std::vector<rule_hits> many(static_cast<size_t>(libbpf_num_possible_cpus()), {5, 5, 5});
    for (uint32_t number = 1; number < 4; ++number)
        ASSERT_TRUE(maps_.hits.raw().update(&number, many.data()));
    apply(web_plan());
    EXPECT_EQ(value_of(read_->hits(rule_number("web-policy", 0))).allowed, 0u);
    EXPECT_GT(value_of(read_->hits(3)).allowed, 0u);
}

TEST_F(Apply, ANewPodOnAnInterfaceStartsWithoutCounts)
{
    apply(web_plan());
    const uint32_t index = endpoint_of(WEB_INTERFACE).index;
    endpoint_counters counted{};
    std::ranges::fill(counted.row, counter{5, 5});
    const std::vector many(static_cast<size_t>(libbpf_num_possible_cpus()), counted);
    for (uint32_t endpoint = 0; endpoint < 2; ++endpoint)
        ASSERT_TRUE(maps_.counters.raw().update(&endpoint, many.data()));
    flow_key key{};
    key.ifindex = WEB_INTERFACE;
    add_flow(bpffs_, key, {});
    Plan plan = web_plan();
    plan.endpoints.edit(0).pod = "web-2";
    apply(plan);
    const uint32_t fresh = endpoint_of(WEB_INTERFACE).index;
    EXPECT_NE(fresh, index);
    EXPECT_EQ(value_of(read_->counters(fresh)).row[0].packets, 0u);
    EXPECT_GT(value_of(read_->counters(index)).row[0].packets, 0u);
    EXPECT_TRUE(value_of(read_->flows(true)).empty());
}

TEST_F(Apply, AnEndpointThatBecomesKnownKeepsItsIndex)
{
    Plan plan = web_plan();
    add_endpoint(plan, API_INTERFACE, "", PLAN_RULESET_CLOSED);
    apply(plan);
    const uint32_t index = endpoint_of(API_INTERFACE).index;
    EXPECT_EQ(ingress_of(API_INTERFACE), uint32_t{RULESET_CLOSED});
    plan.endpoints.edit(1).pod = "api";
    plan.endpoints.edit(1).pod_namespace = "shop";
    plan.endpoints.edit(1).ruleset[DIRECTION_INGRESS] = PLAN_RULESET_NONE;
    apply(plan);
    EXPECT_EQ(endpoint_of(API_INTERFACE).index, index);
    EXPECT_EQ(ingress_of(API_INTERFACE), uint32_t{RULESET_NONE});
}

TEST_F(Apply, AVanishedEndpointLeavesNoRowsAndNoFlows)
{
    apply(web_plan());
    flow_key key{};
    key.ifindex = WEB_INTERFACE;
    add_flow(bpffs_, key, {});
    Plan plan = web_plan();
    plan.endpoints.clear();
    apply(plan);
    settle();
    EXPECT_TRUE(value_of(read_->endpoints()).empty());
    EXPECT_TRUE(value_of(read_->endpoint_names()).empty());
    apply(web_plan()); // before any sweep
    EXPECT_TRUE(value_of(read_->flows(false)).empty());
}
