// SPDX-License-Identifier: Apache-2.0
#include "kernel/applier.h"

#include "base/interface_name.h"
#include "base/memory.h"
#include "kernel/capacity.h"
#include "kernel/flows.h"
#include "kernel/numbering.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace ebpfd {

namespace {

// What is counted by an endpoint's index starts at zero.
Result<void> clear_endpoint(const Maps& maps, uint32_t index)
{
    auto done = maps.counters.clear(index);
    if (done)
        done = maps.pod_healths.clear(index);
    return done;
}

// One walk for all of them: the map has no index by endpoint.
Result<void> clear_kernel_drops(const Maps& maps, const std::vector<uint32_t>& indexes)
{
    if (indexes.empty())
        return {};
    const std::set<uint32_t> cleared(indexes.begin(), indexes.end());
    std::vector<kernel_drop_key> going;
    auto read = maps.kernel_drops.for_each([&](const kernel_drop_key& key, const auto&) {
        if (cleared.contains(key.endpoint))
            going.push_back(key);
    });
    return read ? maps.kernel_drops.erase(going) : read;
}

} // namespace

Result<void> Applier::check(const Changes& changes) const
{
    return check_demands(demands_of(applied_, changes,
                                    {.endpoints = maps_.endpoints.capacity(),
                                     .addresses = maps_.addresses.capacity(),
                                     .services = maps_.services.capacity(),
                                     .rulesets = maps_.rulesets.capacity(),
                                     .peers = maps_.peers.capacity(),
                                     .cidrs = maps_.cidrs.capacity(),
                                     .ports = maps_.ports.capacity(),
                                     .rules = maps_.rules.capacity()}));
}

Result<void> Applier::clear_counters(const Changes& changes) const
{
    for (const uint32_t rule : changes.new_rules)
        if (auto done = maps_.hits.clear(rule); !done)
            return done;
    for (const uint32_t index : changes.new_indexes)
        if (auto done = clear_endpoint(maps_, index); !done)
            return done;
    return clear_kernel_drops(maps_, changes.new_indexes);
}

Result<void> Applier::write_rows(const Changes& changes) const
{
    auto done = maps_.rules.update(changes.rules);
    if (done)
        done = maps_.rulesets.update(changes.rulesets);
    if (done)
        done = maps_.peers.update(changes.peers);
    if (done)
        done = maps_.cidrs.update(changes.cidrs);
    if (done)
        done = maps_.ports.update(changes.ports);
    if (done)
        done = maps_.services.update(changes.services);
    if (done)
        done = maps_.addresses.update(changes.addresses);
    if (done)
        done = maps_.names.update(changes.names);
    if (done)
        done = maps_.endpoints.update(changes.endpoints);
    return done;
}

// An interface's number may have been another pod's: its flows are nobody's business now.
Result<void> Applier::forget_flows(const Changes& changes)
{
    std::set<uint32_t> stale;
    for (const uint32_t ifindex : changes.other_pods)
        if (stale_flows_.contains(ifindex) || applied_.endpoints.contains(ifindex))
            stale.insert(ifindex);
    if (stale.empty())
        return {};
    if (auto removed = remove_flows(maps_, stale); !removed)
        return std::unexpected(removed.error());
    return {};
}

Result<void> Applier::write(const Changes& changes)
{
    auto done = clear_counters(changes);
    if (done)
        done = write_rows(changes);
    if (done)
        done = forget_flows(changes);
    if (!done)
        return done;
    std::ranges::set_difference(changes.gone, vanished_, std::inserter(gone_, gone_.end()));
    stale_flows_.insert(changes.gone.begin(), changes.gone.end());
    return {};
}

// Where there is not even memory for this the agent ends: the next one finds what is half written.
void Applier::take_back(const Changes& changes) noexcept
{
    retirement_ = changes.undo();
}

// Allocates nothing: there is no way back from here.
void Applier::put_in_force(Applied next, Changes& changes) noexcept
{
    if (changes.flips())
        state_.set_generation(state_.generation() + 1);
    applied_ = std::move(next);
    for (const auto& entry : applied_.rulesets.entries)
        if (entry.row != nullptr) {
            entry.row->cidrs.values = {}; // the kernel has them
            entry.row->ports.values = {};
        }
    retirement_ = std::move(changes.obsolete);
}

void Applier::detach_gone(std::vector<std::string>& warnings)
{
    const auto leave = [&](uint32_t ifindex, auto work) {
        if (const auto* row = applied_.endpoints.find(ifindex); row && !row->gone) // come again
            return true;
        const Result<void> left = (attachment_.*work)(ifindex);
        if (!left)
            warnings.push_back(
                fmt::format("detach from interface {}: {}", ifindex, left.error().message));
        return left.has_value();
    };
    std::erase_if(gone_, [&](uint32_t i) { return leave(i, &Attachment::detach); });
    std::erase_if(vanished_, [&](uint32_t i) { return leave(i, &Attachment::forget); });
}

Result<bool> Applier::attach(uint32_t ifindex)
{
    if (find_successor_(ifindex) != Successor::none)
        return false;
    auto done = attachment_.attach(ifindex);
    const auto successor = find_successor_(ifindex);
    if (successor == Successor::pods)
        done = attachment_.close(ifindex);
    else if (successor == Successor::others)
        done = attachment_.detach(ifindex);
    if (!done)
        return std::unexpected(done.error());
    return successor == Successor::none;
}

std::vector<std::string> Applier::attach_all()
{
    std::vector<std::string> warnings;
    for (auto& [ifindex, row] : applied_.endpoints) {
        if (row.attached || row.gone)
            continue;
        const auto attached = attach(ifindex);
        row.attached = attached.value_or(false);
        if (!attached)
            warnings.push_back(
                fmt::format("interface {}: {}", row.name->interface, attached.error().message));
    }
    return warnings;
}

std::map<uint32_t, std::string> Applier::find_lost(const Datapath::Interfaces& among)
{
    std::map<uint32_t, std::string> lost;
    for (auto& [ifindex, row] : applied_.endpoints) {
        if (!row.attached || (among && !among->contains(ifindex)) ||
            attachment_.holds(ifindex).value_or(true) || interface_name(ifindex).empty())
            continue;
        row.attached = false;
        lost.emplace(ifindex, row.name->interface);
    }
    return lost;
}

void Applier::forget(const std::set<uint32_t>& gone)
{
    for (auto& [ifindex, row] : applied_.endpoints)
        if (gone.contains(ifindex)) {
            row.gone = true;
            vanished_.insert(ifindex);
        }
    for (const uint32_t ifindex : gone)
        if (gone_.erase(ifindex) > 0)
            vanished_.insert(ifindex);
}

Result<ApplyReport> Applier::apply(const Plan& plan)
{
    const auto begin = Clock::now();
    if (auto settled = settle(); !settled)
        return fail("finish the last change", settled.error());
    auto next = number_plan(plan, applied_);
    return next ? change_to(std::move(*next), begin) : std::unexpected(next.error());
}

Result<ApplyReport> Applier::close(const std::vector<PlanEndpoint>& newcomers)
{
    const auto begin = Clock::now();
    if (auto settled = settle(); !settled)
        return fail("finish the last change", settled.error());
    return change_to(with_closed(applied_, newcomers), begin);
}

Result<ApplyReport> Applier::change_to(Applied next, Clock::time_point begin)
{
    auto changes = compare(applied_, next, state_.generation() & 1);
    if (auto fits = check(changes); !fits)
        return std::unexpected(fits.error());
    state_.set_next(next.next_ruleset, next.next_identity);
    if (auto written = unless_out_of_memory("write", [&] { return write(changes); }); !written) {
        take_back(changes);
        return std::unexpected(written.error());
    }
    ApplyReport report;
    report.changes = changes.count();
    report.endpoints_changed = !changes.new_indexes.empty() || !changes.gone.empty();
    report.write = Clock::now() - begin;
    put_in_force(std::move(next), changes);
    report.flip = Clock::now() - begin;
    report.generation = state_.generation();
    if (auto done = maps_.endpoints.update(changes.flipped); !done) // settle() does it as well
        report.warnings.push_back(done.error().message);
    for (auto& warning : attach_all())
        report.warnings.push_back(std::move(warning));
    detach_gone(report.warnings);
    return report;
}

} // namespace ebpfd
