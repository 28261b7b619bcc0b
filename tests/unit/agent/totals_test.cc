// SPDX-License-Identifier: Apache-2.0
#include "totals.h"
#include "unit/tools/fake_maps.h"

#include <bit>
#include <cstring>
#include <gtest/gtest.h>
#include <ranges>

namespace ebpfd {
namespace {

// A node's maps as a datapath and its agent would write them.
class TotalsTest : public testing::Test {
protected:
    void add_endpoint(uint32_t index, const char* pod)
    {
        endpoint_name name{};
        std::strcpy(name.pod_namespace, "shop");
        std::strcpy(name.pod, pod);
        name.index = index;
        content_.names.emplace_back(index + 100, name);
        content_.counters[index] = {};
    }
    void remove_endpoint(uint32_t index)
    {
        std::erase_if(content_.names, [=](const auto& e) { return e.second.index == index; });
    }
    void count(uint32_t index, direction dir, reason why, uint64_t packets, bool audited = false)
    {
        counter& row = content_.counters[index].row[counter_row(dir, why, audited ? 1 : 0)];
        row.packets += packets;
        row.bytes += packets * 100;
    }
    void add_rule(uint32_t number, const char* policy, uint16_t index, rule_hits hits)
    {
        rule_info info{};
        std::strcpy(info.policy_namespace, "shop");
        std::strcpy(info.policy, policy);
        info.index = index;
        info.action = ACTION_ALLOW;
        content_.rules[number] = info;
        content_.hits[number] = hits;
    }
    Totals::Values read() { return *totals_.read(maps_); }
    uint64_t packets(direction dir, reason why)
    {
        for (const auto& row : read().traffic)
            if (row.dir == dir && row.why == why && !row.would)
                return row.total.packets;
        ADD_FAILURE() << "no such row";
        return 0;
    }
    uint64_t dropped(const char* pod)
    {
        const auto values = read();
        const auto found = values.pods.series().find({"shop", pod});
        return found == values.pods.series().end()
                   ? 0
                   : found->second[column(PodCount::dropped_packets, DIRECTION_INGRESS)];
    }
    uint64_t allowed(const char* policy, const char* rule)
    {
        const auto values = read();
        const SeriesName name{std::string("shop/") + policy, rule, "ingress", "allow"};
        const auto found = values.verdicts.series().find(name);
        return found == values.verdicts.series().end() ? 0 : found->second[0];
    }

    ctl::MapContent content_;
    ctl::FakeMaps maps_{content_};
    Totals totals_{1000};
};

TEST_F(TotalsTest, SumsEndpointsByDirectionAndReason)
{
    add_endpoint(0, "web");
    add_endpoint(1, "db");
    count(0, DIRECTION_INGRESS, REASON_DENIED, 3);
    count(1, DIRECTION_INGRESS, REASON_DENIED, 4);
    count(1, DIRECTION_EGRESS, REASON_RULE, 5);
    EXPECT_EQ(packets(DIRECTION_INGRESS, REASON_DENIED), 7u);
    EXPECT_EQ(packets(DIRECTION_EGRESS, REASON_RULE), 5u);
    EXPECT_EQ(packets(DIRECTION_EGRESS, REASON_SPOOFED), 0u) << "shown before the first";
    EXPECT_EQ(dropped("web"), 3u);
    EXPECT_EQ(dropped("db"), 4u);
}

TEST_F(TotalsTest, WhatIsAuditedWasForwarded)
{
    add_endpoint(0, "web");
    count(0, DIRECTION_INGRESS, REASON_DENIED, 3, true);
    EXPECT_EQ(dropped("web"), 0u);
    EXPECT_EQ(read().pods.series().begin()->second[column(PodCount::forwarded_packets,
                                                          DIRECTION_INGRESS)],
              3u);
}

TEST_F(TotalsTest, WhatADryRunWouldAllowWasDropped)
{
    add_endpoint(0, "web");
    count(0, DIRECTION_INGRESS, REASON_RULE, 3, true);
    EXPECT_EQ(dropped("web"), 3u);
    EXPECT_EQ(packets(DIRECTION_INGRESS, REASON_RULE), 0u);
}

TEST_F(TotalsTest, RulesOfADryRunCountWhatTheyWouldDo)
{
    add_rule(1, "web", 0, {.allowed = 5, .denied = 0, .last_ns = 1});
    content_.rules[1].dry_run = 1;
    const auto verdicts = read().verdicts.series();
    EXPECT_EQ(verdicts.at({"shop/web", "ingress[0]", "ingress", "would-allow"})[0], 5u);
    EXPECT_FALSE(verdicts.contains({"shop/web", "ingress[0]", "ingress", "allow"}));
}

TEST_F(TotalsTest, AnEndpointThatGoesTakesNothingBack)
{
    add_endpoint(0, "web");
    count(0, DIRECTION_INGRESS, REASON_DENIED, 3);
    EXPECT_EQ(packets(DIRECTION_INGRESS, REASON_DENIED), 3u);
    count(0, DIRECTION_INGRESS, REASON_DENIED, 2); // after the last reading
    remove_endpoint(0);
    ASSERT_TRUE(totals_.settled(maps_));
    add_endpoint(0, "db"); // its row starts anew
    count(0, DIRECTION_INGRESS, REASON_DENIED, 1);
    EXPECT_EQ(packets(DIRECTION_INGRESS, REASON_DENIED), 6u);
    EXPECT_EQ(dropped("db"), 1u);
    EXPECT_EQ(read().pods.series().size(), 1u) << "web's series has gone";
}

TEST_F(TotalsTest, AReadingBetweenLeavingAndSettlingCountsOnce)
{
    add_endpoint(0, "web");
    count(0, DIRECTION_INGRESS, REASON_DENIED, 3);
    ASSERT_TRUE(totals_.settled(maps_));
    remove_endpoint(0);
    EXPECT_EQ(packets(DIRECTION_INGRESS, REASON_DENIED), 3u);
    ASSERT_TRUE(totals_.settled(maps_));
    EXPECT_EQ(packets(DIRECTION_INGRESS, REASON_DENIED), 3u);
}

TEST_F(TotalsTest, APodKeepsItsSeriesOverAChangeOfInterface)
{
    add_endpoint(0, "web");
    count(0, DIRECTION_INGRESS, REASON_DENIED, 3);
    ASSERT_TRUE(totals_.settled(maps_));
    remove_endpoint(0);
    add_endpoint(7, "web");
    ASSERT_TRUE(totals_.settled(maps_));
    count(7, DIRECTION_INGRESS, REASON_DENIED, 1);
    EXPECT_EQ(dropped("web"), 4u);
}

TEST_F(TotalsTest, ARuleThatChangesTakesNothingBack)
{
    add_rule(1, "web", 0, {.allowed = 5, .denied = 0, .last_ns = 0});
    EXPECT_EQ(allowed("web", "ingress[0]"), 5u);
    add_rule(2, "web", 0,
             {.allowed = 1, .denied = 0, .last_ns = 0}); // the same place, other content
    content_.hits[1].allowed = 6;
    ASSERT_TRUE(totals_.settled(maps_));
    content_.rules.erase(1);
    ASSERT_TRUE(totals_.settled(maps_));
    add_rule(1, "other", 0, {.allowed = 2, .denied = 0, .last_ns = 0});
    EXPECT_EQ(allowed("web", "ingress[0]"), 7u);
    EXPECT_EQ(allowed("other", "ingress[0]"), 2u);
}

TEST_F(TotalsTest, RulesThatChangePlacesTakeNothingBack)
{
    add_rule(1, "web", 0, {.allowed = 50, .denied = 0, .last_ns = 0});
    add_rule(2, "web", 1, {.allowed = 1, .denied = 0, .last_ns = 0});
    EXPECT_EQ(allowed("web", "ingress[0]"), 50u);
    content_.rules[1].index = 1;
    content_.rules[2].index = 0;
    ASSERT_TRUE(totals_.settled(maps_));
    EXPECT_EQ(allowed("web", "ingress[0]"), 50u);
    EXPECT_EQ(allowed("web", "ingress[1]"), 1u);
    content_.hits[1].allowed++;
    EXPECT_EQ(allowed("web", "ingress[1]"), 2u);
}

TEST_F(TotalsTest, RulesWithOneNameAreOneSeries)
{
    add_rule(1, "web", 0,
             {.allowed = 5, .denied = 0, .last_ns = 0}); // a named port: one bit a number
    add_rule(2, "web", 0, {.allowed = 6, .denied = 0, .last_ns = 0});
    EXPECT_EQ(allowed("web", "ingress[0]"), 11u);
    EXPECT_EQ(read().verdicts.series().size(), 1u);
}

TEST_F(TotalsTest, HealthIsSummedUpAndKeptByPod)
{
    add_endpoint(0, "web");
    add_endpoint(1, "db");
    content_.healths[0].retransmissions = 3;
    content_.healths[1].retransmissions = 4;
    content_.healths[1].srtt.sum_us = 900;
    content_.healths[1].srtt.bucket[9] = 1;
    EXPECT_EQ(read().health.retransmissions, 7u);
    EXPECT_EQ(read().health.srtt.bucket[9], 1u);
    content_.healths[0].retransmissions = 5;
    remove_endpoint(0);
    ASSERT_TRUE(totals_.settled(maps_));
    content_.healths[0] = {};
    const auto values = read();
    EXPECT_EQ(values.health.retransmissions, 9u);
    Counts<health_columns> db{};
    std::ranges::copy(values.pods.series().at({"shop", "db"}) | std::views::drop(traffic_columns),
                      db.begin());
    EXPECT_EQ(std::bit_cast<pod_health>(db).retransmissions, 4u);
    EXPECT_EQ(std::bit_cast<pod_health>(db).srtt.sum_us, 900u);
}

TEST_F(TotalsTest, KernelDropsAreNamedByTheKernelAndOnlyRise)
{
    add_endpoint(0, "web");
    content_.kernel_drops = {{0, 3, {.packets = 5, .bytes = 0}},
                             {1, 3, {.packets = 2, .bytes = 0}}};
    EXPECT_EQ(read().kernel_drops, (std::map<std::string, uint64_t>{{"NO_SOCKET", 7}}));
    content_.kernel_drops = {{1, 3, {.packets = 1, .bytes = 0}},
                             {1, 6, {.packets = 9, .bytes = 0}}};
    EXPECT_EQ(read().kernel_drops,
              (std::map<std::string, uint64_t>{{"NO_SOCKET", 8}, {"SOCKET_RCVBUFF", 9}}));
}

TEST_F(TotalsTest, SeriesAreBounded)
{
    Totals few(2 * series_per_pod);
    for (uint32_t index = 0; index < 5; index++) {
        add_endpoint(index, ("pod-" + std::to_string(index)).c_str());
        count(index, DIRECTION_INGRESS, REASON_DENIED, 1);
    }
    const auto values = *few.read(maps_);
    EXPECT_EQ(values.pods.series().size(), 2u);
    EXPECT_EQ(values.pods.dropped(), 3u);
    EXPECT_EQ(values.pods.overflow()[column(PodCount::dropped_packets, DIRECTION_INGRESS)], 3u);
    remove_endpoint(0);
    count(4, DIRECTION_INGRESS, REASON_DENIED, 1);
    const auto later = *few.read(maps_);
    EXPECT_EQ(later.pods.series().size(), 1u);
    EXPECT_GE(later.pods.overflow()[column(PodCount::dropped_packets, DIRECTION_INGRESS)], 3u)
        << "the overflow takes nothing back";
}

} // namespace
} // namespace ebpfd
