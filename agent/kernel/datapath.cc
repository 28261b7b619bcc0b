// SPDX-License-Identifier: Apache-2.0
#include "kernel/datapath.h"

#include "base/log.h"
#include "kernel/applier.h"
#include "kernel/flows.h"
#include "kernel/kernel_hooks.h"
#include "kernel/libbpf_log.h"
#include "kernel/load.h"
#include "kernel/preflight.h"
#include "kernel/reuse.h"
#include "kernel/rings.h"
#include "kernel/takeover.h"

#include <cerrno>
#include <ranges>

namespace ebpfd {

namespace {

class LoadedDatapath : public Datapath {
public:
    LoadedDatapath(Pins pins, Programs programs)
        : pins_(std::move(pins)), programs_(std::move(programs))
    {
    }
    // Takes over what the maps hold, and makes the loaded programs those in force.
    Result<void> start(const DatapathOptions& options);

    Result<ApplyReport> apply(const Plan& plan) override;
    Result<ApplyReport> close(const std::vector<PlanEndpoint>& newcomers) override
    {
        if (applier_->applied().endpoints.empty())
            return ApplyReport{};
        return applier_->close(newcomers);
    }
    std::vector<std::string> find_lost() override { return applier_->find_lost(); }
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
    Result<void> take_over(AttachMode mode);
    Result<void> set_audit(bool audit);
    Result<void> leave_audit();
    void show_hooks_the_pods();

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
    auto maps = Maps::open(pins_.maps());
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

Result<void> LoadedDatapath::take_over(AttachMode mode)
{
    auto attachment = Attachment::make(mode, pins_, programs_);
    if (!attachment)
        return std::unexpected(attachment.error());
    attachment_ = std::move(*attachment);
    auto adopted = adopt(maps_, state_.snapshot());
    if (!adopted)
        return std::unexpected(adopted.error());
    applier_ = std::make_unique<Applier>(maps_, state_, *attachment_, std::move(*adopted));
    for (const auto& warning : applier_->attach_all())
        spdlog::warn("{}", warning);
    std::set<uint32_t> endpoints;
    for (const uint32_t ifindex : applier_->applied().endpoints | std::views::keys)
        endpoints.insert(ifindex);
    return remove_leftovers(pins_, *attachment_, endpoints);
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

Result<void> LoadedDatapath::start(const DatapathOptions& options)
{
    auto done = open_maps();
    if (done)
        done = take_over(options.attach);
    if (done)
        done = commit_programs(pins_);
    audit_ = options.audit;
    return done && audit_ ? set_audit(true) : done;
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
        sweep_flows(maps_, {.now_ns = monotonic_ns(),
                            .has_endpoint = [&](uint32_t i) { return endpoints.contains(i); },
                            .closed = closed});
    if (swept)
        applier_->flows_swept();
    show_hooks_the_pods();
    return swept;
}

Result<ApplyReport> LoadedDatapath::apply(const Plan& plan)
{
    auto report = applier_->apply(plan);
    if (report && report->endpoints_changed)
        show_hooks_the_pods();
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
    show_hooks_the_pods();
}

std::vector<HookStatus> LoadedDatapath::hooks() const
{
    return hooks_ ? hooks_->status() : std::vector<HookStatus>{};
}

// With every change and every sweep: an interface's other end may move at any time.
void LoadedDatapath::show_hooks_the_pods()
{
    if (!hooks_)
        return;
    std::map<uint32_t, uint32_t> indexes;
    for (const auto& [ifindex, row] : applier_->applied().endpoints)
        indexes.emplace(ifindex, row.index);
    if (auto followed = hooks_->follow(indexes); !followed)
        spdlog::debug("kernel hooks: {}", followed.error().message);
}

RuleInfos LoadedDatapath::rules() const
{
    RuleInfos result;
    for (const auto& [part, number, info] : applier_->applied().rules)
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

} // namespace

Result<std::unique_ptr<Datapath>> Datapath::open(const DatapathOptions& options)
{
    route_libbpf_log();
    const Pins pins{options.bpffs};
    if (auto fit = check_machine(options.bpffs); !fit)
        return std::unexpected(fit.error());
    const auto adopted = check_pinned_layout(pins);
    if (!adopted)
        return std::unexpected(adopted.error());
    if (auto made = make_folders(pins); !made)
        return std::unexpected(made.error());
    auto programs = load_programs(options, pins);
    Result<void> started;
    std::unique_ptr<LoadedDatapath> datapath;
    if (programs) {
        datapath = std::make_unique<LoadedDatapath>(pins, std::move(*programs));
        started = datapath->start(options);
    } else {
        started = std::unexpected(programs.error());
    }
    if (started)
        return datapath;
    if (!*adopted) // nothing of it was ever in force
        if (auto removed = detach(options.bpffs); !removed)
            spdlog::warn("{}", removed.error().message);
    return std::unexpected(started.error());
}

} // namespace ebpfd
