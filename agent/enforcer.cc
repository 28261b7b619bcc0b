// SPDX-License-Identifier: Apache-2.0
#include "enforcer.h"

#include "base/memory.h"
#include "kernel/drop_reasons.h"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <system_error>

namespace ebpfd {
namespace {

using std::chrono::steady_clock;

} // namespace

Enforcer::Enforcer(Datapath& datapath, std::string bpffs, Observer& observer, Totals& totals)
    : datapath_(datapath), bpffs_(std::move(bpffs)), observer_(observer), totals_(totals),
      book_(read_drop_reasons().value_or(DropReasons{}))
{
}

void Enforcer::adopt_names(const NameBook::Endpoints& endpoints)
{
    observer_.set_names(book_.adopt(endpoints, datapath_.rules()));
}

Result<Enforcer::Outcome> Enforcer::enforce(const World& world)
{
    return unless_out_of_memory("compile and apply", [&] { return compile_and_apply(world); });
}

Result<Enforcer::Outcome> Enforcer::compile_and_apply(const World& world)
{
    const auto begin = steady_clock::now();
    auto plan = compiler_.compile(world);
    if (!plan)
        return std::unexpected(plan.error());
    const auto compiled = steady_clock::now();
    finish();
    // Records that the new policy makes wait for its names.
    auto held = observer_.hold_records();
    const auto apply_begin = steady_clock::now();
    auto report = datapath_.apply(*plan);
    if (!report)
        return fail("apply", report.error());
    const auto applied = steady_clock::now() - apply_begin;
    publish_names(world, *plan);
    held.unlock();
    const auto named = steady_clock::now() - apply_begin;
    Outcome outcome{.report = std::move(*report),
                    .times = {},
                    .warnings = std::move(plan->warnings),
                    .endpoints = plan->endpoints.size(),
                    .rulesets = plan->rulesets.count(),
                    .identities = plan->identities.count()};
    outcome.times = {.compile = compiled - begin,
                     .wait = apply_begin - compiled,
                     .write = outcome.report.write,
                     .flip = outcome.report.flip - outcome.report.write,
                     .attach = applied - outcome.report.flip,
                     .names = named - applied};
    settle_aside();
    return outcome;
}

std::vector<std::string> Enforcer::close_newcomers(const World& world)
{
    finish();
    std::vector<PlanEndpoint> endpoints;
    for (const LocalInterface& local : world.interfaces) {
        if (local.pod != nullptr && local.pod->host_network)
            continue;
        PlanEndpoint& endpoint = endpoints.emplace_back();
        endpoint.ifindex = local.ifindex;
        endpoint.interface = local.name;
        if (local.pod == nullptr)
            continue;
        endpoint.pod_namespace = local.pod->pod_namespace;
        endpoint.pod = local.pod->name;
        endpoint.addresses = local.pod->addresses;
    }
    auto report = datapath_.close(endpoints);
    if (!report)
        return {"new pods are not closed: " + report.error().message};
    return std::move(report->warnings);
}

void Enforcer::settle_aside()
{
    try {
        settling_ = std::async(std::launch::async, [this] { settle_now(); });
    } catch (const std::system_error&) {
        settle_now(); // there is no room for another thread
    }
}

// Where it fails the next change does it first.
void Enforcer::settle_now()
{
    const auto settled = unless_out_of_memory("settle", [this]() -> Result<void> {
        auto done = datapath_.settle();
        if (done)
            count_what_has_gone();
        return done;
    });
    if (!settled)
        spdlog::warn("what the last policy left behind stays for now: {}", settled.error().message);
}

void Enforcer::finish()
{
    if (settling_.valid())
        settling_.get();
}

void Enforcer::count_what_has_gone()
{
    Result<void> counted;
    if (const auto maps = PinnedMaps::open(bpffs_); maps)
        counted = totals_.settled(**maps);
    else
        counted = std::unexpected(maps.error());
    if (!counted)
        spdlog::warn("totals may lack what has gone: {}", counted.error().message);
}

void Enforcer::publish_names(const World& world, const Plan& plan)
{
    observer_.set_names(book_.update(world, plan, datapath_.rules()));
}

} // namespace ebpfd
