// SPDX-License-Identifier: Apache-2.0
#include "metric_values.h"

#include "kernel/measure.h"
#include "process_facts.h"

#include <spdlog/spdlog.h>

namespace ebpfd {
namespace {

// The value, or one that says nothing.
template <class T> T value_of(Result<T> value, std::string_view what)
{
    if (value)
        return std::move(*value);
    spdlog::warn("metrics: {} cannot be read: {}", what, value.error().message);
    return {};
}

void add_state(const Sources& sources, MetricValues& values)
{
    const auto view = sources.board.latest();
    values.version = sources.agent.version;
    values.mode = sources.agent.audit ? "audit" : "enforce";
    values.generation = view->generation;
    values.revision = view->revision;
    values.degraded = view->degraded() || sources.board.trouble().has_value();
    values.endpoints = view->endpoints;
    values.policies = view->world->policy_count();
    values.pods = view->world->pods.size();
    values.files_with_errors = view->file_errors.size();
    values.attach_failures = view->attach_warnings.size();
    for (const auto& hook : view->hooks)
        values.hooks[hook.name] = !hook.attachment.empty();
}

void add_totals(const Sources& sources, const PinnedMaps& maps, MetricValues& values)
{
    auto totals = sources.totals.read(maps);
    if (!totals) {
        spdlog::warn("metrics: counters cannot be read: {}", totals.error().message);
        return;
    }
    values.traffic = std::move(totals->traffic);
    values.health = totals->health;
    values.kernel_drops = std::move(totals->kernel_drops);
    values.verdicts = std::move(totals->verdicts);
    if (sources.config.metrics_pods)
        values.by_pod = std::move(totals->pods);
}

void add_datapath(const Sources& sources, MetricValues& values)
{
    const auto& config = sources.config;
    const auto maps = PinnedMaps::open(config.bpffs);
    if (!maps) {
        spdlog::warn("metrics: the datapath cannot be read: {}", maps.error().message);
        return;
    }
    add_totals(sources, **maps, values);
    values.losses = value_of((*maps)->losses(), "the ring ledger");
    values.usage = value_of(table_usage(**maps), "tables");
    values.flows = value_of(count_flows(config.bpffs), "connections");
    values.rings = value_of(ring_fills(config.bpffs), "rings");
    values.programs = value_of(program_runs(config.bpffs), "programs");
}

} // namespace

MetricValues metric_values(const Sources& sources)
{
    MetricValues values;
    add_state(sources, values);
    add_datapath(sources, values);
    const auto counts = sources.observer.counts();
    values.records_consumed = counts.consumed;
    values.records_dropped = counts.dropped;
    values.readers = counts.readers;
    if (sources.flow_log) {
        values.flow_log = sources.flow_log->counts();
        values.degraded = values.degraded || !values.flow_log->error.empty();
    }
    values.process = process_facts();
    return values;
}

} // namespace ebpfd
