// SPDX-License-Identifier: Apache-2.0
#include "observe/filter.h"
#include "unit/observe/records.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using namespace ebpfd::testing;
using Conditions = std::multimap<std::string, std::string>;

bool matches(const Conditions& conditions, const event& raw)
{
    const auto filter = RecordFilter::parse(conditions);
    EXPECT_TRUE(filter) << filter.error().message;
    return filter && filter->matches(attribute(raw, *names(), 0));
}

TEST(RecordFilter, NoConditionMatchesEverything)
{
    EXPECT_TRUE(matches({}, opened()));
}

TEST(RecordFilter, EachNameTestsItsField)
{
    struct Row {
        const char* name;
        const char* hit;
        const char* miss;
    };
    // Against a connection that web opens to db.
    const Row rows[] = {
        {"pod", "shop/db", "shop/other"},
        {"from_pod", "shop/web", "shop/db"},
        {"to_pod", "shop/db", "shop/web"},
        {"label", "app", "role"},
        {"label", "app=web", "app=db"},
        {"label", "app=web,tier=front", "app=web,tier=back"},
        {"from_label", "tier", "tier="},
        {"ip", "10.0.0.1", "10.0.0.3"},
        {"ip", "10.0.0.0/24", "10.0.1.0/24"},
        {"to_ip", "10.0.0.2/31", "10.0.0.0/31"},
        {"from_ip", "10.0.0.1", "10.0.0.2"},
        {"to_ip", "10.0.0.2", "10.0.0.1"},
        {"port", "5432", "80"},
        {"from_port", "40000", "5432"},
        {"to_port", "5432", "40000"},
        {"protocol", "tcp", "UDP"},
        {"verdict", "allow", "deny"},
        {"reason", "rule", "denied"},
        {"type", "flow_open", "drop"},
        {"policy", "shop/allow", "shop/one"},
        {"direction", "egress", "ingress"},
        {"namespace", "shop", "other"},
        {"from_namespace", "shop", "other"},
        {"to_namespace", "shop", "other"},
    };
    for (const auto& [name, hit, miss] : rows) {
        EXPECT_TRUE(matches({{name, hit}}, opened())) << name << "=" << hit;
        EXPECT_FALSE(matches({{name, miss}}, opened())) << name << "=" << miss;
        const std::string negated = std::string("not_") + name;
        EXPECT_FALSE(matches({{negated, hit}}, opened())) << negated << "=" << hit;
        EXPECT_TRUE(matches({{negated, miss}}, opened())) << negated << "=" << miss;
    }
}

TEST(RecordFilter, SameNameIsOrOtherNamesAreAnd)
{
    EXPECT_TRUE(matches({{"port", "80"}, {"port", "5432"}}, opened()));
    EXPECT_FALSE(matches({{"port", "5432"}, {"verdict", "deny"}}, opened()));
}

TEST(RecordFilter, NegationLeavesOutEachOfItsValues)
{
    EXPECT_FALSE(matches({{"not_port", "53"}, {"not_port", "5432"}}, opened()));
    EXPECT_TRUE(matches({{"not_port", "53"}, {"not_port", "80"}, {"port", "5432"}}, opened()));
    EXPECT_FALSE(matches({{"to_port", "5432"}, {"not_from_pod", "shop/web"}}, opened()));
}

TEST(RecordFilter, WhatWouldBeIsFoundByWhatItIs)
{
    auto record = opened();
    record.verdict = VERDICT_WOULD_ALLOW;
    EXPECT_TRUE(matches({{"verdict", "would-allow"}}, record));
    EXPECT_TRUE(matches({{"verdict", "deny"}}, record));
    EXPECT_FALSE(matches({{"verdict", "allow"}}, record));
    record.verdict = VERDICT_WOULD_DENY;
    EXPECT_TRUE(matches({{"verdict", "allow"}}, record));
    EXPECT_FALSE(matches({{"verdict", "deny"}}, record));
    EXPECT_FALSE(matches({{"verdict", "allow"}, {"not_verdict", "would-deny"}}, record));
}

TEST(RecordFilter, WithoutLabelsNoLabelMatches)
{
    EXPECT_FALSE(matches({{"to_label", "app"}}, opened()));
    EXPECT_TRUE(matches({{"not_to_label", "app"}}, opened()));
}

TEST(RecordFilter, SaysItsConditions)
{
    EXPECT_EQ(RecordFilter::parse({{"not_port", "53"}, {"from_pod", "shop/web"}})->text(),
              "from_pod=shop/web not_port=53");
    EXPECT_EQ(RecordFilter().text(), "");
}

TEST(RecordFilter, EachPolicyOfAnIsolationCounts)
{
    EXPECT_TRUE(matches({{"policy", "shop/two"}}, refused()));
    EXPECT_FALSE(matches({{"policy", "shop/tw"}}, refused()));
}

TEST(RecordFilter, WhatCanMatchNothingIsAnError)
{
    for (const Conditions& bad : {Conditions{{"colour", "red"}},
                                  {{"pod", "web"}},
                                  {{"ip", "10.0.0"}},
                                  {{"ip", "10.0.0.0/33"}},
                                  {{"label", ""}},
                                  {{"label", "a,,b"}},
                                  {{"label", "=x"}},
                                  {{"namespace", ""}},
                                  {{"from_verdict", "deny"}},
                                  {{"not_", "x"}},
                                  {{"not_not_port", "53"}},
                                  {{"port", "0"}},
                                  {{"port", "99999"}},
                                  {{"protocol", "quic"}},
                                  {{"verdict", "maybe"}},
                                  {{"type", "flow"}},
                                  {{"direction", "up"}},
                                  {{"reason", "unknown"}}})
        EXPECT_FALSE(RecordFilter::parse(bad)) << bad.begin()->first;
}

} // namespace
} // namespace ebpfd
