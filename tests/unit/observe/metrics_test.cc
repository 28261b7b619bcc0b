// SPDX-License-Identifier: Apache-2.0
#include "observe/metrics.h"

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

TEST(Metrics, LedgerShowsEveryOutcomeOfBothRings)
{
    MetricValues values;
    values.losses.ring[RING_REFUSALS] = {.produced = 9, .delivered = 5, .suppressed = 3, .lost = 1};
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
