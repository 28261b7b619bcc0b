// SPDX-License-Identifier: Apache-2.0
#include "name_book.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

std::shared_ptr<const Pod> pod(const std::string& name, const char* address,
                               const std::string& created = "")
{
    Pod out;
    out.name = name;
    out.created = created;
    out.addresses = {*IpAddress::parse(address)};
    return std::make_shared<Pod>(out);
}

World world(std::vector<std::shared_ptr<const Pod>> pods)
{
    World out;
    out.pods = std::move(pods);
    return out;
}

Plan plan(uint32_t ifindex, const std::string& name)
{
    Plan out;
    out.endpoints.push_back({.ifindex = ifindex,
                             .interface = "veth",
                             .pod_namespace = "default",
                             .pod = name,
                             .addresses = {}});
    return out;
}

RuleInfos rule(uint32_t number, const char* policy, rule_kind kind = RULE_NETWORK_POLICY)
{
    rule_info out{};
    std::strcpy(out.policy_namespace, "shop");
    std::strcpy(out.policy, policy);
    out.direction = DIRECTION_EGRESS;
    out.index = 2;
    out.kind = static_cast<uint8_t>(kind);
    return {{number, std::make_shared<rule_info>(out)}};
}

std::string pod_at(const Names& names, const char* address)
{
    const auto found = names.addresses.find(*IpAddress::parse(address));
    return found == nullptr ? "" : found->pod;
}

TEST(NameBook, PodsCarryTheirLabels)
{
    Pod labelled;
    labelled.name = "web";
    labelled.labels = {{"app", "web"}};
    labelled.addresses = {*IpAddress::parse("10.0.0.1")};
    World here = world({std::make_shared<Pod>(labelled)});
    here.interfaces = {{7, "veth", here.pods[0]}};
    const auto names = NameBook().update(here, plan(7, "web"), {});
    EXPECT_EQ(names->interfaces.at(7)->labels->at("app"), "web");
    EXPECT_EQ(names->addresses.find(*IpAddress::parse("10.0.0.1"))->labels->at("app"), "web");
}

endpoint_name left_by_an_earlier_agent(const char* name, const char* address)
{
    endpoint_name row{};
    std::strcpy(row.pod_namespace, "shop");
    std::strcpy(row.pod, name);
    std::strcpy(row.interface, "veth");
    const auto bytes = IpAddress::parse(address)->bytes;
    std::ranges::copy(bytes, row.address[0]);
    return row;
}

TEST(NameBook, WhatWasLeftInForceHasItsNamesBeforeTheFirstUpdate)
{
    NameBook book;
    const auto adopted = book.adopt({{7, left_by_an_earlier_agent("web", "10.0.0.1")},
                                     {8, left_by_an_earlier_agent("", "10.0.0.2")}},
                                    rule(3, "allow"));
    EXPECT_EQ(adopted->interfaces.at(7)->pod, "web");
    EXPECT_EQ(adopted->interfaces.at(7)->pod_namespace, "shop");
    EXPECT_FALSE(adopted->interfaces.contains(8)) << "it was closed, and nobody's";
    EXPECT_EQ(pod_at(*adopted, "10.0.0.1"), "web");
    EXPECT_EQ(adopted->rules.at(3)->policy_text(), "shop/allow");

    const auto next = book.update(world({pod("db", "10.0.0.5")}), plan(9, "db"), rule(4, "other"));
    EXPECT_EQ(next->interfaces.at(7)->pod, "web") << "its last records are still to come";
    EXPECT_EQ(next->rules.at(3)->policy_text(), "shop/allow");
    EXPECT_EQ(pod_at(*next, "10.0.0.1"), "") << "it may be another's by now";
    EXPECT_EQ(pod_at(*next, "10.0.0.5"), "db");
}

TEST(NameBook, NamesPodsInterfacesAndRules)
{
    const auto names =
        NameBook().update(world({pod("web", "10.0.0.1")}), plan(7, "web"), rule(9, "allow"));
    EXPECT_EQ(pod_at(*names, "10.0.0.1"), "web");
    EXPECT_EQ(names->interfaces.at(7)->interface, "veth");
    EXPECT_EQ(names->rules.at(9)->policy_text(), "shop/allow");
    EXPECT_EQ(names->rules.at(9)->rule_text(), "egress[2]");
}

TEST(NameBook, RuleThatLetsAPodReachItselfHasNoPolicy)
{
    const auto names = NameBook().update(World{}, Plan{}, rule(9, "", RULE_SELF));
    EXPECT_EQ(names->rules.at(9)->policy_text(), "");
    EXPECT_EQ(names->rules.at(9)->rule_text(), "self");
}

TEST(NameBook, NewestRunningPodOwnsAnAddress)
{
    Pod finished = *pod("job", "10.0.0.1", "2026-03-01T00:00:00Z");
    finished.finished = true;
    const auto names = NameBook().update(
        world({pod("old", "10.0.0.1", "2026-01-01T00:00:00Z"),
               pod("new", "10.0.0.1", "2026-02-01T00:00:00Z"), std::make_shared<Pod>(finished)}),
        {}, {});
    EXPECT_EQ(pod_at(*names, "10.0.0.1"), "new");
}

TEST(NameBook, InterfacesAndRulesThatAreGoneKeepTheirNames)
{
    NameBook book;
    book.update(world({pod("web", "10.0.0.1")}), plan(7, "web"), rule(9, "allow"));
    for (int i = 0; i < 3; i++) {
        const auto names = book.update({}, {}, {});
        EXPECT_EQ(names->interfaces.at(7)->pod, "web");
        EXPECT_EQ(names->rules.at(9)->policy, "allow");
        EXPECT_EQ(pod_at(*names, "10.0.0.1"), "") << "another pod may have it by now";
    }
}

TEST(NameBook, NumberThatIsUsedAgainHasItsNewName)
{
    NameBook book;
    book.update({}, plan(7, "web"), rule(9, "allow"));
    book.update({}, {}, {});
    const auto names = book.update({}, plan(7, "db"), rule(9, "other"));
    EXPECT_EQ(names->interfaces.at(7)->pod, "db");
    EXPECT_EQ(names->rules.at(9)->policy, "other");
}

TEST(NameBook, OldNamesAreBounded)
{
    NameBook book;
    std::shared_ptr<const Names> names;
    for (uint32_t ifindex = 1; ifindex <= 5000; ifindex += 50) {
        Plan many;
        for (uint32_t i = 0; i < 50; i++)
            many.endpoints.push_back(plan(ifindex + i, "pod").endpoints[0]);
        names = book.update({}, many, {});
    }
    EXPECT_EQ(names->interfaces.size(), 4096u + 50u);
    EXPECT_FALSE(names->interfaces.contains(1));
    EXPECT_TRUE(names->interfaces.contains(5000));
}

} // namespace
} // namespace ebpfd
