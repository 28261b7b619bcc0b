// SPDX-License-Identifier: Apache-2.0
#include "observe/metric_family.h"
#include "observe/metrics.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(Metrics, TrafficIsSplitByDirectionAndReason)
{
    MetricValues values;
    values.traffic = {
        {DIRECTION_EGRESS, REASON_RULE, false, {10, 1000}},
        {DIRECTION_INGRESS, REASON_DENIED, false, {3, 180}},
        {DIRECTION_INGRESS, REASON_DENIED, true, {2, 120}},
    };
    const auto text = ApplyMetrics().render(values);
    EXPECT_THAT(text, HasSubstr("# TYPE ebpfd_forwarded_packets_total counter"));
    EXPECT_THAT(
        text, HasSubstr("ebpfd_forwarded_bytes_total{direction=\"egress\",reason=\"rule\"} 1000"));
    EXPECT_THAT(
        text, HasSubstr("ebpfd_dropped_packets_total{direction=\"ingress\",reason=\"denied\"} 3"));
    EXPECT_THAT(text, HasSubstr("ebpfd_would_drop_packets_total{direction=\"ingress\",reason="
                                "\"denied\"} 2"));
    EXPECT_THAT(text, HasSubstr("ebpfd_forwarded_packets_total{direction=\"ingress\",reason="
                                "\"denied\"} 2"));
}

TEST(Metrics, WhatADryRunWouldAllowIsRefused)
{
    MetricValues values;
    values.traffic = {
        {DIRECTION_INGRESS, REASON_DENIED, false, {3, 180}},
        {DIRECTION_INGRESS, REASON_RULE, true, {4, 240}},
    };
    const auto text = ApplyMetrics().render(values);
    EXPECT_THAT(
        text, HasSubstr("ebpfd_dropped_packets_total{direction=\"ingress\",reason=\"denied\"} 7"));
    EXPECT_THAT(text, HasSubstr("ebpfd_would_forward_packets_total{direction=\"ingress\",reason="
                                "\"rule\"} 4"));
}

TEST(Metrics, LedgerShowsEveryOutcomeOfBothRings)
{
    MetricValues values;
    values.losses.type[EVENT_DROP] = {.produced = 9, .delivered = 5, .suppressed = 3, .lost = 1};
    const auto text = ApplyMetrics().render(values);
    EXPECT_THAT(text, HasSubstr("ebpfd_ring_records_total{ring=\"refusals\",outcome=\"lost\"} 1"));
    EXPECT_THAT(text,
                HasSubstr("ebpfd_ring_records_total{ring=\"refusals\",outcome=\"produced\"} 9"));
    EXPECT_THAT(text, HasSubstr("ebpfd_ring_records_total{ring=\"flows\",outcome=\"lost\"} 0"));
}

TEST(Metrics, ApplyDurationsFallIntoBuckets)
{
    ApplyMetrics metrics;
    metrics.observe(2ms, true);
    metrics.observe(50ms, false);
    const auto text = metrics.render({});
    EXPECT_THAT(text, HasSubstr("ebpfd_policy_apply_duration_seconds_bucket{le=\"0.001\"} 0"));
    EXPECT_THAT(text, HasSubstr("ebpfd_policy_apply_duration_seconds_bucket{le=\"0.003\"} 1"));
    EXPECT_THAT(text, HasSubstr("ebpfd_policy_apply_duration_seconds_count 2"));
    EXPECT_THAT(text, HasSubstr("ebpfd_policy_apply_errors_total 1"));
}

TEST(Metrics, LargeCountsStayExact)
{
    MetricValues values;
    values.traffic = {{DIRECTION_EGRESS, REASON_RULE, false, {123456789012345, 1}}};
    EXPECT_THAT(ApplyMetrics().render(values), HasSubstr(" 123456789012345\n"));
}

TEST(Metrics, StagesOfAnApplyHaveTheirTimes)
{
    ApplyMetrics metrics;
    metrics.observe_stages({.compile = 2ms, .write = 20ms, .flip = 1us, .attach = 200ms});
    const auto text = metrics.render({});
    const std::string bucket = "ebpfd_policy_apply_stage_duration_seconds_bucket";
    EXPECT_THAT(text, HasSubstr(bucket + "{stage=\"compile\",le=\"0.003\"} 1"));
    EXPECT_THAT(text, HasSubstr(bucket + "{stage=\"write\",le=\"0.01\"} 0"));
    EXPECT_THAT(text, HasSubstr(bucket + "{stage=\"flip\",le=\"0.0001\"} 1"));
}

TEST(Metrics, OverflowIsASeriesOfItsOwnOnceThereIsOne)
{
    MetricValues values;
    values.verdicts = VerdictTotals(1);
    values.verdicts.add({"shop/a", "ingress[0]", "ingress", "allow"}, {1});
    const std::string overflow = "ebpfd_policy_verdicts_total{policy=\"_overflow\"";
    EXPECT_THAT(ApplyMetrics().render(values), Not(HasSubstr(overflow)));
    values.verdicts.add({"shop/b", "ingress[0]", "ingress", "allow"}, {4});
    const auto text = ApplyMetrics().render(values);
    EXPECT_THAT(text, HasSubstr(overflow));
    EXPECT_THAT(text, HasSubstr("ebpfd_metrics_series_dropped_total{by=\"rule\"} 1"));
}

TEST(Metrics, PodsShowOnlyWhereTheyAreWanted)
{
    MetricValues values;
    EXPECT_THAT(ApplyMetrics().render(values), Not(HasSubstr("ebpfd_pod_")));
    values.by_pod = PodTotals(1);
    PodTotals::Added counts{};
    counts[column(PodCount::dropped_packets, DIRECTION_EGRESS)] = 3;
    values.by_pod->add({"shop", "web"}, counts);
    EXPECT_THAT(ApplyMetrics().render(values),
                HasSubstr("ebpfd_pod_dropped_packets_total{namespace=\"shop\",pod=\"web\","
                          "direction=\"egress\"} 3"));
}

TEST(Metrics, HistogramsOfTheKernelAreInSecondsAndCumulative)
{
    MetricValues values;
    values.health.srtt.sum_us = 2'500'000;
    values.health.srtt.bucket[0] = 1;  // below 2 us
    values.health.srtt.bucket[7] = 2;  // below 256 us
    values.health.srtt.bucket[8] = 4;  // below 512 us
    values.health.srtt.bucket[23] = 8; // without end
    const auto text = ApplyMetrics().render(values);
    EXPECT_THAT(text, HasSubstr("ebpfd_tcp_rtt_seconds_bucket{le=\"0.000256\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("ebpfd_tcp_rtt_seconds_bucket{le=\"0.001024\"} 7\n"));
    EXPECT_THAT(text, HasSubstr("ebpfd_tcp_rtt_seconds_bucket{le=\"4.194304\"} 7\n"));
    EXPECT_THAT(text, HasSubstr("ebpfd_tcp_rtt_seconds_bucket{le=\"+Inf\"} 15\n"));
    EXPECT_THAT(text, HasSubstr("ebpfd_tcp_rtt_seconds_count 15\n"));
    EXPECT_THAT(text, HasSubstr("ebpfd_tcp_rtt_seconds_sum 2.5\n"));
}

TEST(Metrics, APodHasAsManySeriesAsItIsCountedFor)
{
    MetricValues values;
    const auto series = [&] {
        const auto text = ApplyMetrics().render(values);
        size_t count = 0;
        for (size_t at = 0; (at = text.find("pod=\"web\"", at)) != text.npos; at++)
            count++;
        return count;
    };
    values.by_pod = PodTotals(1);
    values.by_pod->add({"shop", "web"}, {});
    EXPECT_EQ(series(), series_per_pod);
}

TEST(Metrics, LabelTextIsValidUtf8)
{
    const std::string replaced = "\xef\xbf\xbd";
    EXPECT_EQ(label_text("web-1"), "web-1");
    EXPECT_EQ(label_text("h\xc3\xa4user \xe2\x82\xac \xf0\x9f\x98\x80"),
              "h\xc3\xa4user \xe2\x82\xac \xf0\x9f\x98\x80");
    for (const char* bad : {"\xff", "\x80", "\xc0", "\xc3", "\xf5"})
        EXPECT_EQ(label_text(bad), replaced) << bad;
    EXPECT_EQ(label_text("\xe2\x82"), replaced + replaced);                // cut off
    EXPECT_EQ(label_text("\xc0\xaf"), replaced + replaced);                // overlong
    EXPECT_EQ(label_text("\xed\xa0\x80"), replaced + replaced + replaced); // a surrogate
    EXPECT_EQ(label_text("\xc3(x"), replaced + "(x");
}

// Whatever a name holds, Prometheus' own tool reads all lines.
TEST(Metrics, HostileLabelsBreakNoLine)
{
    MetricValues values;
    values.verdicts = VerdictTotals(100);
    values.by_pod = PodTotals(100);
    for (const std::string name : {"\"} 1\nebpfd_forged_total 1\n", "back\\slash\\", "\xff\xfe",
                                   "tab\tand\rreturn", "{}=,#", "\xe2\x80\xae", "\\n"}) {
        values.verdicts.add({name, name, name, name}, {1});
        values.by_pod->add({name, name}, {});
    }
    const auto text = ApplyMetrics().render(values);
    EXPECT_THAT(text, Not(HasSubstr("\nebpfd_forged_total")));
    std::string file = (std::filesystem::temp_directory_path() / "ebpfd-metrics-XXXXXX").string();
    const int fd = mkstemp(file.data());
    ASSERT_GE(fd, 0);
    close(fd);
    std::ofstream(file) << text;
    EXPECT_EQ(std::system(("promtool check metrics < " + file).c_str()), 0);
    std::filesystem::remove(file);
}

TEST(Metrics, BuildIsNamed)
{
    MetricValues values;
    values.version = "1.2.3";
    values.mode = "audit";
    EXPECT_THAT(ApplyMetrics().render(values),
                HasSubstr("ebpfd_build_info{version=\"1.2.3\",mode=\"audit\"} 1"));
}

} // namespace
} // namespace ebpfd
