// SPDX-License-Identifier: Apache-2.0
#include "observe/metrics.h"

#include "model/names.h"
#include "observe/metric_family.h"
#include "observe/metric_groups.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace ebpfd {
namespace {

// From 0.1 ms to 3 s, in seconds.
const prometheus::Histogram::BucketBoundaries apply_buckets{0.0001, 0.0003, 0.001, 0.003, 0.01,
                                                            0.03,   0.1,    0.3,   1,     3};
// From 1 us on.
const prometheus::Histogram::BucketBoundaries stage_buckets{
    0.000001, 0.000003, 0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3};

void add_overflows(const MetricValues& values, Families& out)
{
    auto dropped = Family::total("ebpfd_metrics_series_dropped_total",
                                 "Names without series of their own for lack of room; what they "
                                 "count is summed up as _overflow.");
    dropped.add(values.verdicts.dropped(), {{"by", "rule"}});
    if (values.by_pod)
        dropped.add(values.by_pod->dropped(), {{"by", "pod"}});
    out.push_back(dropped.take());
}

void add_flows(const MetricValues& values, Families& out)
{
    auto flows = Family::gauge("ebpfd_flows", "Open connections.");
    const auto add = [&](const char* table, const auto& counts) {
        for (uint32_t state = 0; state < counts.size(); state++)
            flows.add(counts[state],
                      {{"table", table}, {"state", std::string(flow_state_name(state))}});
    };
    add("flows", values.flows.flows);
    add("pending", values.flows.pending);
    out.push_back(flows.take());
}

void add_ledger(const MetricValues& values, Families& out)
{
    auto records = Family::total("ebpfd_ring_records_total",
                                 "Records of the datapath: produced = delivered + suppressed + "
                                 "lost.");
    const auto add = [&](const char* ring, const ring_ledger& row) {
        for (const auto& [outcome, count] :
             {std::pair{"produced", row.produced}, std::pair{"delivered", row.delivered},
              std::pair{"suppressed", row.suppressed}, std::pair{"lost", row.lost}})
            records.add(count, {{"ring", ring}, {"outcome", outcome}});
    };
    add("refusals", ring_sum(&values.losses, RING_REFUSALS));
    add("flows", ring_sum(&values.losses, RING_FLOWS));
    out.push_back(records.take());
    out.push_back(Family::total("ebpfd_table_full_total", "Entries that found their table full; pending: that made room for others.")
                      .add(values.losses.flows_full, {{"table", "flows"}})
                      .add(values.losses.flows_evicted, {{"table", "pending"}})
                      .add(values.losses.fragments_full, {{"table", "fragments"}})
                      .add(values.losses.health_full, {{"table", "health"}})
                      .add(values.losses.drops_full, {{"table", "kernel_drops"}})
                      .take());
    out.push_back(
        Family::total("ebpfd_records_consumed_total", "Records the agent read from the rings.")
            .add(values.records_consumed)
            .take());
    out.push_back(
        Family::total("ebpfd_reader_lost_records_total", "Records that slow live readers lost.")
            .add(values.records_dropped)
            .take());
}

void add_rings(const MetricValues& values, Families& out)
{
    auto size = Family::gauge("ebpfd_ring_size_bytes", "Bytes a ring has room for.");
    auto pending = Family::gauge("ebpfd_ring_pending_bytes", "Bytes of a ring not read yet.");
    for (const auto& ring : values.rings) {
        size.add(ring.size_bytes, {{"ring", ring.ring}});
        pending.add(ring.pending_bytes, {{"ring", ring.ring}});
    }
    out.push_back(size.take());
    out.push_back(pending.take());
}

void add_flow_log(const FlowLog::Counts& counts, Families& out)
{
    out.push_back(Family::total("ebpfd_flow_log_records_total",
                                "Records for the flow log: taken = written + dropped + queued.")
                      .add(counts.taken, {{"outcome", "taken"}})
                      .add(counts.written, {{"outcome", "written"}})
                      .add(counts.dropped, {{"outcome", "dropped"}})
                      .take());
    const auto simple = [&](Family family, uint64_t value) {
        out.push_back(family.add(value).take());
    };
    simple(Family::gauge("ebpfd_flow_log_queued_records", "Records that wait to be written."),
           counts.queued);
    simple(Family::gauge("ebpfd_flow_log_failing", "1: nothing can be written at present."),
           counts.error.empty() ? 0 : 1);
    simple(Family::total("ebpfd_flow_log_written_bytes_total", "Bytes written to the flow log."),
           counts.bytes);
    simple(Family::total("ebpfd_flow_log_errors_total", "Attempts to write that failed."),
           counts.errors);
    simple(Family::total("ebpfd_flow_log_rotations_total", "Times the file was rotated."),
           counts.rotations);
}

void add_programs(const MetricValues& values, Families& out)
{
    auto runs = Family::total("ebpfd_program_runs_total",
                              "Runs of a program while kernel.bpf_stats_enabled is 1.");
    auto seconds = Family::total("ebpfd_program_run_seconds_total",
                                 "Time in a program while kernel.bpf_stats_enabled is 1.");
    for (const auto& program : values.programs) {
        runs.add(program.runs, {{"program", program.program}});
        seconds.add_real(static_cast<double>(program.nanoseconds) / 1e9,
                         {{"program", program.program}});
    }
    out.push_back(runs.take());
    out.push_back(seconds.take());
}

void add_tables(const MetricValues& values, Families& out)
{
    auto used = Family::gauge("ebpfd_table_entries", "Entries in use of a table.");
    auto capacity = Family::gauge("ebpfd_table_capacity_entries", "Entries a table can hold.");
    for (const auto& table : values.usage) {
        used.add(table.used, {{"table", table.name}});
        capacity.add(table.capacity, {{"table", table.name}});
    }
    out.push_back(used.take());
    out.push_back(capacity.take());
}

void add_state(const MetricValues& values, Families& out)
{
    const auto simple = [&](const char* name, const char* help, uint64_t value) {
        out.push_back(Family::gauge(name, help).add(value).take());
    };
    out.push_back(Family::gauge("ebpfd_build_info", "1; the labels say which build runs, and how.")
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
    simple("ebpfd_attach_failures", "Interfaces that are not under policy as they should be.",
           values.attach_failures);
    auto hooks = Family::gauge("ebpfd_hook_attached", "1: the kernel hook works here.");
    for (const auto& [hook, attached] : values.hooks)
        hooks.add(attached ? 1 : 0, {{"hook", hook}});
    out.push_back(hooks.take());
    simple("ebpfd_live_readers", "Readers of live records.", values.readers);
}

void add_process(const ProcessFacts& process, Families& out)
{
    out.push_back(Family::total("process_cpu_seconds_total", "User and system CPU time.")
                      .add_real(process.cpu_seconds)
                      .take());
    const auto simple = [&](const char* name, const char* help, double value) {
        out.push_back(Family::gauge(name, help).add_real(value).take());
    };
    simple("process_start_time_seconds", "Start of the process, since 1970.",
           process.start_time_seconds);
    simple("process_resident_memory_bytes", "Resident memory.", double(process.resident_bytes));
    simple("process_virtual_memory_bytes", "Virtual memory.", double(process.virtual_bytes));
    simple("process_open_fds", "Open file descriptors.", double(process.open_fds));
    simple("process_max_fds", "Most file descriptors that may be open.", double(process.max_fds));
    out.push_back(Family::total("ebpfd_refused_system_calls_total",
                                "System calls that the agent's own filter refused.")
                      .add(process.refused_calls)
                      .take());
}

} // namespace

struct ApplyMetrics::State {
    // The same one for the same name.
    prometheus::Histogram& stage(const char* name)
    {
        return stages.Add({{"stage", name}}, stage_buckets);
    }

    prometheus::Registry registry;
    prometheus::Histogram& duration =
        prometheus::BuildHistogram()
            .Name("ebpfd_policy_apply_duration_seconds")
            .Help("Time from a change that was noticed to its being in force.")
            .Register(registry)
            .Add({}, apply_buckets);
    prometheus::Family<prometheus::Histogram>& stages =
        prometheus::BuildHistogram()
            .Name("ebpfd_policy_apply_stage_duration_seconds")
            .Help("Time of each stage of a change that was applied.")
            .Register(registry);
    prometheus::Counter& errors = prometheus::BuildCounter()
                                      .Name("ebpfd_policy_apply_errors_total")
                                      .Help("Changes that could not be applied.")
                                      .Register(registry)
                                      .Add({});
    prometheus::Counter& reattached =
        prometheus::BuildCounter()
            .Name("ebpfd_interfaces_reattached_total")
            .Help("Interfaces from which somebody had removed ebpfd's programs.")
            .Register(registry)
            .Add({});
};

ApplyMetrics::ApplyMetrics() : state_(std::make_unique<State>())
{
    for (const auto& [name, time] : ApplyTimes().stages())
        state_->stage(name);
}

ApplyMetrics::~ApplyMetrics() = default;

void ApplyMetrics::observe(std::chrono::nanoseconds duration, bool applied)
{
    state_->duration.Observe(std::chrono::duration<double>(duration).count());
    if (!applied)
        state_->errors.Increment();
}

void ApplyMetrics::observe_stages(const ApplyTimes& times)
{
    for (const auto& [stage, time] : times.stages())
        state_->stage(stage).Observe(std::chrono::duration<double>(time).count());
}

void ApplyMetrics::count_reattached(size_t interfaces)
{
    state_->reattached.Increment(static_cast<double>(interfaces));
}

std::string ApplyMetrics::render(const MetricValues& values) const
{
    Families families;
    add_state(values, families);
    add_traffic(values, families);
    add_verdicts(values, families);
    add_health(values, families);
    if (values.by_pod)
        add_pods(*values.by_pod, families);
    add_overflows(values, families);
    add_flows(values, families);
    add_tables(values, families);
    add_ledger(values, families);
    add_rings(values, families);
    if (values.flow_log)
        add_flow_log(*values.flow_log, families);
    add_programs(values, families);
    add_process(values.process, families);
    for (auto& family : state_->registry.Collect())
        families.push_back(std::move(family));
    return prometheus::TextSerializer().Serialize(families);
}

} // namespace ebpfd
