// SPDX-License-Identifier: Apache-2.0
#include "kernel/datapath.h"

#include "base/clock.h"
#include "base/interface_name.h"
#include "base/log.h"
#include "kernel/applier.h"
#include "kernel/conversion.h"
#include "kernel/flows.h"
#include "kernel/kernel_hooks.h"
#include "kernel/libbpf_log.h"
#include "kernel/load.h"
#include "kernel/preflight.h"
#include "kernel/reuse.h"
#include "kernel/rings.h"
#include "kernel/self_check.h"
#include "kernel/takeover.h"
#include "kernel/upgrade.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <ranges>

namespace ebpfd {
namespace {

class LoadedDatapath : public Datapath {
public:
    LoadedDatapath(Pins pins, Programs programs)
        : pins_(std::move(pins)), programs_(std::move(programs))
    {
    }
    // Takes over what the maps of that layout (0: there were none) hold, and makes the loaded
    // programs those in force.
    Result<void> start(const DatapathOptions& options, uint32_t layout);
    Result<void> commit(const Upgrade& upgrade) { return upgrade.commit(state_); }
    std::vector<uint32_t> endpoints() const;

    Result<ApplyReport> apply(const Plan& plan) override;
    Result<ApplyReport> close(const std::vector<PlanEndpoint>& newcomers) override
    {
        if (applier_->applied().endpoints.empty())
            return ApplyReport{};
        return applier_->close(newcomers);
    }
    Result<void> shut(uint32_t ifindex) override { return attachment_->shut(ifindex); }
    Result<void> shut_newcomer(uint32_t ifindex) override
    {
        return attachment_->shut_newcomer(ifindex);
    }
    std::map<uint32_t, std::string> find_lost(const Interfaces& among) override
    {
        return applier_->find_lost(among);
    }
    void ask_for_successors(FindSuccessor find) override
    {
        applier_->ask_for_successors(std::move(find));
    }
    void forget(const std::set<uint32_t>& gone) override { applier_->forget(gone); }
    Result<void> settle() override { return applier_->settle(); }
    uint32_t generation() const override { return state_.generation(); }
    RuleInfos rules() const override;
    std::string attach_mode() const override { return attachment_->mode(); }
    Result<size_t> drain(std::chrono::milliseconds timeout,
                         const std::function<void(ring, const event&)>& sink) override
    {
        return rings_->drain(timeout, sink);
    }
    uint64_t unreadable() const override { return rings_->unreadable(); }
    void set_watch(const watch& wanted) override { state_.set_watch(wanted); }
    Result<size_t> sweep(const std::function<void(const event&)>& closed) override;
    void attach_hooks(const HookOptions& options) override;
    std::vector<HookStatus> hooks() const override;

private:
    Result<void> open_maps();
    Result<void> take_over(AttachMode mode, uint32_t layout);
    Result<void> set_audit(bool audit);
    Result<void> leave_audit();
    void show_hooks_the_pods(bool moves);

    Pins pins_;
    Programs programs_;
    Maps maps_;
    State state_;
    std::unique_ptr<Rings> rings_;
    std::unique_ptr<Attachment> attachment_;
    std::unique_ptr<Applier> applier_;
    std::unique_ptr<KernelHooks> hooks_;
    bool audit_ = false; // wanted
};

Result<void> LoadedDatapath::open_maps()
{
    auto maps = Maps::open(pins_.maps(), 0, true);
    if (!maps)
        return std::unexpected(maps.error());
    maps_ = std::move(*maps);
    auto state = State::map(maps_.state.raw().fd());
    if (!state)
        return std::unexpected(state.error());
    state_ = std::move(*state);
    auto rings = Rings::open(pins_.maps());
    if (!rings)
        return std::unexpected(rings.error());
    rings_ = std::move(*rings);
    return {};
}

// Those of adopted endpoints that have become others while no agent looked.
std::set<uint32_t> replaced(const EndpointRows& endpoints)
{
    std::set<uint32_t> found;
    for (const auto& [ifindex, row] : endpoints)
        if (has_other_name(ifindex, row.name->interface))
            found.insert(ifindex);
    return found;
}

Result<void> LoadedDatapath::take_over(AttachMode mode, uint32_t layout)
{
    auto attachment = Attachment::make(mode, pins_, programs_);
    if (!attachment)
        return std::unexpected(attachment.error());
    attachment_ = std::move(*attachment);
    auto adopted = adopt(maps_, state_.snapshot());
    if (!adopted)
        return std::unexpected(adopted.error());
    if (layout != 0)
        if (auto fit = check_programs(programs_, pins_, adopted->applied.endpoints,
                                      layout == DATAPATH_LAYOUT);
            !fit)
            return fit;
    applier_ = std::make_unique<Applier>(maps_, state_, *attachment_, std::move(*adopted));
    applier_->forget(replaced(applier_->applied().endpoints));
    for (const auto& warning : applier_->attach_all())
        spdlog::warn("{}", warning);
    const auto attached = endpoints();
    return remove_leftovers(pins_, *attachment_, {attached.begin(), attached.end()});
}

// Verdicts that are cached were judged in the old mode: a new generation has them judged again.
Result<void> LoadedDatapath::set_audit(bool audit)
{
    if (state_.audit() == audit)
        return {};
    if (auto settled = applier_->settle(); !settled)
        return settled;
    state_.set_audit(audit);
    state_.set_generation(state_.generation() + 1);
    return {};
}

Result<void> LoadedDatapath::start(const DatapathOptions& options, uint32_t layout)
{
    auto done = open_maps();
    if (done)
        done = take_over(options.attach, layout);
    audit_ = options.audit;
    return done && audit_ ? set_audit(true) : done;
}

std::vector<uint32_t> LoadedDatapath::endpoints() const
{
    std::vector<uint32_t> out;
    if (applier_)
        std::ranges::copy(applier_->applied().endpoints | std::views::keys,
                          std::back_inserter(out));
    return out;
}

// Not before there is a policy made for it: one made for audit mode knows no dry runs, and would
// enforce them.
Result<void> LoadedDatapath::leave_audit()
{
    return audit_ ? Result<void>{} : set_audit(false);
}

Result<size_t> LoadedDatapath::sweep(const std::function<void(const event&)>& closed)
{
    const auto& endpoints = applier_->applied().endpoints;
    auto swept =
        sweep_flows(maps_, {.now_ns = machine_monotonic_ns(),
                            .has_endpoint = [&](uint32_t i) { return endpoints.contains(i); },
                            .closed = closed});
    if (swept)
        applier_->flows_swept();
    show_hooks_the_pods(true);
    return swept;
}

Result<ApplyReport> LoadedDatapath::apply(const Plan& plan)
{
    auto report = applier_->apply(plan);
    if (report && report->endpoints_changed)
        show_hooks_the_pods(false);
    if (!report)
        return report;
    if (auto left = leave_audit(); !left)
        report->warnings.push_back("audit mode goes on: " + left.error().message);
    report->generation = state_.generation();
    return report;
}

void LoadedDatapath::attach_hooks(const HookOptions& options)
{
    hooks_ = KernelHooks::attach(options, pins_);
    show_hooks_the_pods(false);
}

std::vector<HookStatus> LoadedDatapath::hooks() const
{
    return hooks_ ? hooks_->status() : std::vector<HookStatus>{};
}

void LoadedDatapath::show_hooks_the_pods(bool moves)
{
    if (!hooks_)
        return;
    if (auto followed = hooks_->follow(applier_->applied().endpoints, moves); !followed)
        spdlog::debug("kernel hooks: {}", followed.error().message);
}

RuleInfos LoadedDatapath::rules() const
{
    RuleInfos result;
    for (const auto& [part, number, info] : applier_->applied().rules.entries)
        if (number != 0)
            result.emplace_back(number, info);
    return result;
}

Result<void> check_machine(const std::string& bpffs)
{
    auto done = check_btf();
    if (done)
        done = check_ring_buffer();
    return done ? prepare_bpffs(bpffs) : done;
}

Result<void> make_folders(const Pins& pins)
{
    for (const auto& folder : {pins.maps(), pins.programs(), pins.links()})
        if (auto made = make_folder(folder); !made)
            return made;
    return {};
}

// What is loaded is taken back where the start fails: the earlier agent's programs go on.
Result<std::unique_ptr<LoadedDatapath>> load_and_start(const DatapathOptions& options,
                                                       const Pins& pins, uint32_t layout)
{
    const auto upgrade = Upgrade::begin(pins);
    if (!upgrade)
        return std::unexpected(upgrade.error());
    std::vector<uint32_t> attached;
    const auto give_up = [&](Error error) {
        upgrade->roll_back(options.attach, attached);
        return std::unexpected(std::move(error));
    };
    auto programs = load_programs(options, pins, layout);
    if (!programs)
        return give_up(programs.error());
    if (auto converted = convert_maps(pins, layout); !converted)
        return give_up(converted.error());
    auto datapath = std::make_unique<LoadedDatapath>(pins, std::move(*programs));
    auto started = datapath->start(options, layout);
    if (started)
        started = datapath->commit(*upgrade);
    if (started)
        return datapath;
    attached = datapath->endpoints();
    datapath.reset(); // it may be at work on interfaces
    return give_up(started.error());
}

} // namespace

Result<std::unique_ptr<Datapath>> Datapath::open(const DatapathOptions& options)
{
    route_libbpf_log();
    const Pins pins{options.bpffs};
    if (auto fit = check_machine(options.bpffs); !fit)
        return std::unexpected(fit.error());
    const auto layout = check_pinned_layout(pins);
    if (!layout)
        return std::unexpected(layout.error());
    if (auto made = make_folders(pins); !made)
        return std::unexpected(made.error());
    auto datapath = load_and_start(options, pins, *layout);
    if (!datapath && *layout == 0) // nothing of it was ever in force
        if (auto removed = detach(options.bpffs); !removed)
            spdlog::warn("{}", removed.error().message);
    return datapath;
}

} // namespace ebpfd
