// SPDX-License-Identifier: Apache-2.0
#include "observe/metrics.h"

#include "model/names.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace ebpfd {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

// From 0.1 ms to 3 s, in seconds.
const prometheus::Histogram::BucketBoundaries apply_buckets{0.0001, 0.0003, 0.001, 0.003, 0.01,
                                                            0.03,   0.1,    0.3,   1,     3};

// One family under construction.
class Family {
public:
    Family(std::string name, std::string help, MetricType type)
        : family_{.name = std::move(name), .help = std::move(help), .type = type, .metric = {}}
    {
    }

    Family& add(uint64_t value, const Labels& labels = {})
    {
        ClientMetric metric;
        for (const auto& [name, text] : labels)
            metric.label.push_back({.name = name, .value = std::string(text)});
        metric.gauge.value = metric.counter.value = static_cast<double>(value);
        family_.metric.push_back(std::move(metric));
        return *this;
    }
    MetricFamily take() { return std::move(family_); }

private:
    MetricFamily family_;
};

Family gauge(std::string name, std::string help)
{
    return {std::move(name), std::move(help), MetricType::Gauge};
}

Family total(std::string name, std::string help)
{
    return {std::move(name), std::move(help), MetricType::Counter};
}

Labels labels_of(const TrafficTotal& row)
{
    return {{"direction", std::string(direction_name(row.dir))},
            {"reason", std::string(reason_name(row.why))}};
}

bool is_drop(const TrafficTotal& row)
{
    return row.why >= REASON_FIRST_DENIAL && !row.audited;
}

void add_traffic(const MetricValues& values, std::vector<MetricFamily>& out)
{
    auto forwarded_packets = total("ebpfd_forwarded_packets_total", "Packets let through.");
    auto forwarded_bytes = total("ebpfd_forwarded_bytes_total", "Bytes of frames let through.");
    auto dropped_packets = total("ebpfd_dropped_packets_total", "Packets refused.");
    auto dropped_bytes = total("ebpfd_dropped_bytes_total", "Bytes of frames refused.");
    auto audited_packets = total("ebpfd_would_drop_packets_total",
                                 "Packets let through in audit mode that a policy denies.");
    for (const auto& row : values.traffic) {
        const auto labels = labels_of(row);
        if (row.audited)
            audited_packets.add(row.total.packets, labels);
        (is_drop(row) ? dropped_packets : forwarded_packets).add(row.total.packets, labels);
        (is_drop(row) ? dropped_bytes : forwarded_bytes).add(row.total.bytes, labels);
    }
    for (auto* family :
         {&forwarded_packets, &forwarded_bytes, &dropped_packets, &dropped_bytes, &audited_packets})
        out.push_back(family->take());
}

void add_ledger(const MetricValues& values, std::vector<MetricFamily>& out)
{
    auto records = total("ebpfd_ring_records_total",
                         "Records of the datapath: produced = delivered + suppressed + lost.");
    const auto add = [&](const char* ring, const ring_ledger& row) {
        for (const auto& [outcome, count] :
             {std::pair{"produced", row.produced}, std::pair{"delivered", row.delivered},
              std::pair{"suppressed", row.suppressed}, std::pair{"lost", row.lost}})
            records.add(count, {{"ring", ring}, {"outcome", outcome}});
    };
    add("refusals", values.losses.ring[RING_REFUSALS]);
    add("flows", values.losses.ring[RING_FLOWS]);
    out.push_back(records.take());
    out.push_back(total("ebpfd_table_full_total", "Entries that found their table full.")
                      .add(values.losses.flows_full, {{"table", "flows"}})
                      .add(values.losses.pending_full, {{"table", "pending"}})
                      .add(values.losses.fragments_full, {{"table", "fragments"}})
                      .take());
    out.push_back(total("ebpfd_records_consumed_total", "Records the agent read from the rings.")
                      .add(values.records_consumed)
                      .take());
    out.push_back(total("ebpfd_reader_lost_records_total", "Records that slow live readers lost.")
                      .add(values.records_dropped)
                      .take());
}

void add_state(const MetricValues& values, std::vector<MetricFamily>& out)
{
    const auto simple = [&](const char* name, const char* help, uint64_t value) {
        out.push_back(gauge(name, help).add(value).take());
    };
    out.push_back(gauge("ebpfd_build_info", "1; the labels say which build runs, and how.")
                      .add(1, {{"version", values.version}, {"mode", values.mode}})
                      .take());
    simple("ebpfd_policy_generation", "Generation of policy in force.", values.generation);
    simple("ebpfd_policy_revision", "Changes applied since the start.", values.revision);
    simple("ebpfd_degraded", "1: something is wrong; ebpfctl status says what.", values.degraded);
    simple("ebpfd_endpoints", "Local interfaces under policy.", values.endpoints);
    simple("ebpfd_policies", "Policies in force.", values.policies);
    simple("ebpfd_pods", "Pods known from the inventory.", values.pods);
    simple("ebpfd_files_with_errors", "Files that are refused at present.",
           values.files_with_errors);
    simple("ebpfd_live_readers", "Readers of live records.", values.readers);
    auto used = gauge("ebpfd_table_entries", "Entries in use of a table.");
    auto capacity = gauge("ebpfd_table_capacity_entries", "Entries a table can hold.");
    for (const auto& table : values.usage) {
        used.add(table.used, {{"table", table.name}});
        capacity.add(table.capacity, {{"table", table.name}});
    }
    out.push_back(used.take());
    out.push_back(capacity.take());
}

} // namespace

struct ApplyMetrics::State {
    prometheus::Registry registry;
    prometheus::Histogram& duration =
        prometheus::BuildHistogram()
            .Name("ebpfd_policy_apply_duration_seconds")
            .Help("Time from a change that was noticed to its being in force.")
            .Register(registry)
            .Add({}, apply_buckets);
    prometheus::Counter& errors = prometheus::BuildCounter()
                                      .Name("ebpfd_policy_apply_errors_total")
                                      .Help("Changes that could not be applied.")
                                      .Register(registry)
                                      .Add({});
};

ApplyMetrics::ApplyMetrics() : state_(std::make_unique<State>()) {}

ApplyMetrics::~ApplyMetrics() = default;

void ApplyMetrics::observe(std::chrono::nanoseconds duration, bool applied)
{
    state_->duration.Observe(std::chrono::duration<double>(duration).count());
    if (!applied)
        state_->errors.Increment();
}

std::string ApplyMetrics::render(const MetricValues& values) const
{
    std::vector<MetricFamily> families;
    add_state(values, families);
    add_traffic(values, families);
    add_ledger(values, families);
    for (auto& family : state_->registry.Collect())
        families.push_back(std::move(family));
    return prometheus::TextSerializer().Serialize(families);
}

} // namespace ebpfd
