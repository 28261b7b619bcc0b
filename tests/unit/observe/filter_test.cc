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
        {"ip", "10.0.0.1", "10.0.0.3"},
        {"from_ip", "10.0.0.1", "10.0.0.2"},
        {"to_ip", "10.0.0.2", "10.0.0.1"},
        {"port", "5432", "80"},
        {"protocol", "tcp", "UDP"},
        {"verdict", "allow", "deny"},
        {"reason", "rule", "denied"},
        {"type", "flow_open", "drop"},
        {"policy", "shop/allow", "shop/one"},
        {"direction", "egress", "ingress"},
        {"namespace", "shop", "other"},
    };
    for (const auto& [name, hit, miss] : rows) {
        EXPECT_TRUE(matches({{name, hit}}, opened())) << name;
        EXPECT_FALSE(matches({{name, miss}}, opened())) << name;
    }
}

TEST(RecordFilter, SameNameIsOrOtherNamesAreAnd)
{
    EXPECT_TRUE(matches({{"port", "80"}, {"port", "5432"}}, opened()));
    EXPECT_FALSE(matches({{"port", "5432"}, {"verdict", "deny"}}, opened()));
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
