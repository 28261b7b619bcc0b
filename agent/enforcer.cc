// SPDX-License-Identifier: Apache-2.0
#include "enforcer.h"

#include "policy/compile.h"

#include <algorithm>
#include <spdlog/spdlog.h>

namespace ebpfd {
namespace {

std::set<uint32_t> endpoints_of(const Plan& plan)
{
    std::set<uint32_t> out;
    for (const auto& endpoint : plan.endpoints)
        out.insert(endpoint.ifindex);
    return out;
}

// Names are worth a warning, not an error: enforcement does not need them.
std::map<uint32_t, rule_info> rules_of(const std::string& bpffs)
{
    Result<std::map<uint32_t, rule_info>> rules;
    if (const auto maps = PinnedMaps::open(bpffs); maps)
        rules = (*maps)->rules();
    else
        rules = std::unexpected(maps.error());
    if (rules)
        return std::move(*rules);
    spdlog::warn("records will lack the names of their rules: {}", rules.error().message);
    return {};
}

} // namespace

Enforcer::Enforcer(Datapath& datapath, std::string bpffs, Observer& observer,
                   TrafficTotals& traffic)
    : datapath_(datapath), bpffs_(std::move(bpffs)), observer_(observer), traffic_(traffic)
{
}

Result<Enforcer::Outcome> Enforcer::enforce(const World& world)
{
    auto plan = compile(world);
    if (!plan)
        return fail("compile", plan.error());
    finish();
    remember_traffic(*plan);
    // Records that the new policy makes wait for its names.
    auto held = observer_.hold_records();
    auto report = datapath_.apply(*plan);
    if (!report)
        return fail("apply", report.error());
    publish_names(world, *plan);
    held.unlock();
    endpoints_ = endpoints_of(*plan);
    Outcome outcome{.report = std::move(*report),
                    .warnings = std::move(plan->warnings),
                    .endpoints = plan->endpoints.size(),
                    .rulesets = plan->rulesets.size(),
                    .identities = plan->identities.size()};
    settle_aside(world, std::move(*plan));
    return outcome;
}

void Enforcer::settle_aside(World world, Plan plan)
{
    settling_ =
        std::async(std::launch::async, [this, world = std::move(world), plan = std::move(plan)] {
            if (auto settled = datapath_.settle(); !settled)
                spdlog::warn("what the last policy left behind stays for now: {}",
                             settled.error().message);
            else // only now do rules whose place alone has changed have their new one
                publish_names(world, plan);
        });
}

void Enforcer::finish()
{
    if (settling_.valid())
        settling_.get();
}

void Enforcer::remember_traffic(const Plan& next)
{
    const auto staying = endpoints_of(next);
    std::vector<uint32_t> going;
    std::ranges::set_difference(endpoints_, staying, std::back_inserter(going));
    if (going.empty())
        return;
    Result<void> remembered;
    if (const auto maps = PinnedMaps::open(bpffs_); maps)
        remembered = traffic_.remember(**maps, going);
    else
        remembered = std::unexpected(maps.error());
    if (!remembered)
        spdlog::warn("totals will lack what {} interfaces counted: {}", going.size(),
                     remembered.error().message);
}

void Enforcer::publish_names(const World& world, const Plan& plan)
{
    observer_.set_names(book_.update(world, plan, rules_of(bpffs_)));
}

} // namespace ebpfd
