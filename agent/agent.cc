// SPDX-License-Identifier: Apache-2.0
#include "agent.h"

#include "base/clock.h"
#include "base/privileges.h"
#include "syscall_filter.h"
#include "what_fits.h"

#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <utility>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto idle_after = 50ms;
constexpr unsigned ticks_between_looks = 6; // at what is attached: some milliseconds for many pods
constexpr size_t notes_shown = 10;

// A folder of manifests may hold many documents that are not for this agent.
std::vector<std::string> shortened(std::vector<std::string> notes)
{
    if (notes.size() <= notes_shown)
        return notes;
    const size_t more = notes.size() - notes_shown;
    notes.resize(notes_shown);
    notes.push_back(fmt::format("and {} more documents that are skipped", more));
    return notes;
}

// A change frees thousands of pieces, which glibc sorts and merges when it is next asked for a
// large one: better now than in the next change, which would take up to 3 ms longer.
void sort_free_memory()
{
    void* volatile piece = std::malloc(1 << 16);
    std::free(piece);
}

void append(std::vector<std::string>& to, const std::vector<std::string>& from)
{
    to.insert(to.end(), from.begin(), from.end());
}

} // namespace

Agent::Agent(const Config& config, Parts parts)
    : config_(config), facts_{.version = EBPFD_VERSION,
                              .node_name = config.node_name,
                              .audit = config.audit,
                              .started_ns = wall_clock_ns()},
      parts_(std::move(parts)), observer_(config.history_bytes), totals_(config.metrics_max_series)
{
}

Agent::~Agent()
{
    // While the vigil is there, a signal ends what a folder that does not answer keeps waiting.
    reading_ = {};
    vigil_.reset();
    gatekeeper_.reset();
    reader_.reset(); // no record comes after the last that the log writes
    observer_.close();
    servers_ = {};
    observer_.on_watch(nullptr);
}

Result<void> Agent::run()
{
    spdlog::info("ebpfd {} on node {}: {} mode, {}", facts_.version, facts_.node_name,
                 config_.audit ? "audit" : "enforce", datapath_->attach_mode());
    reading_.get();
    collect_interfaces();
    update();
    tell_supervisor(false);
    attach_hooks();
    if (config_.sandbox)
        enter_sandbox();
    for (;;) {
        const auto woken = parts_.epoll.wait(time_to_wait());
        if (!woken)
            return std::unexpected(woken.error());
        board_.turn();
        if (!*woken && !noticed_) {
            write_texts_while_idle();
            if (std::exchange(sort_due_, false))
                sort_free_memory();
            continue;
        }
        parts_.supervisor.keep_alive();
        bool rescan = false;
        if (told_to_stop(rescan)) {
            parts_.supervisor.stopping();
            folders_->texts().write_all();
            return {};
        }
        if (rescan)
            parts_.supervisor.reloading();
        round(rescan);
        tell_supervisor(rescan);
    }
}

std::optional<std::chrono::milliseconds> Agent::time_to_wait()
{
    if (noticed_)
        return 0ms;
    return sort_due_ || folders_->texts().due() ? std::optional(idle_after) : std::nullopt;
}

// After the first policy: enforcement waits for none of it.
void Agent::attach_hooks()
{
    enforcer_->finish();
    datapath_->attach_hooks(config_.hooks);
    for (const auto& hook : datapath_->hooks())
        if (hook.attachment.empty())
            spdlog::info("hook {} is not attached: {}", hook.name, hook.error);
    view_.hooks = datapath_->hooks();
    board_.post(view_);
}

// Less of a sandbox than wanted is no reason to enforce nothing.
void Agent::enter_sandbox() const
{
    if (auto kept = keep_running_privileges(); !kept)
        spdlog::warn("the agent keeps privileges that it does not need: {}", kept.error().message);
    if (auto filtered = install_syscall_filter(); !filtered)
        spdlog::warn("the agent's system calls are not filtered: {}", filtered.error().message);
}

void Agent::tell_supervisor(bool reloaded)
{
    Supervisor& supervisor = parts_.supervisor;
    supervisor.status(status_line(view_));
    if (view_.revision == 0)
        supervisor.still_starting();
    else if (reloaded || !supervisor.is_ready())
        supervisor.ready();
}

void Agent::report_refused_calls()
{
    const auto [count, last] = refused_calls();
    if (count != std::exchange(refused_calls_, count))
        spdlog::error(
            "{} system calls of the agent were refused by its own filter so far, the last "
            "one {}: report it; --sandbox off does without the filter",
            count, last);
}

bool Agent::told_to_stop(bool& rescan)
{
    while (const auto signal = parts_.signals.next()) {
        if (*signal != SIGHUP) {
            spdlog::info("ended by {}; the datapath goes on enforcing", strsignal(*signal));
            return true;
        }
        rescan = true;
        if (flow_log_)
            flow_log_->reopen();
    }
    return false;
}

// One turn of the loop: everything that has changed becomes one new policy.
void Agent::round(bool rescan)
{
    const bool ticked = parts_.ticker.ticked();
    const bool looks = ticked && ++ticks_ % ticks_between_looks == 0;
    auto asking = rescans_.take();
    rescan = rescan || !asking.empty() || (looks && folders_->starved());
    bool changed = collect_interfaces();
    if (rescan)
        folders_->rescan();
    else
        changed = folders_->collect() || changed;
    if (ticked && homes_.expects_any())
        changed = located_.stale = true;
    const bool again = ticked && (!view_.apply_error.empty() || !view_.attach_warnings.empty());
    auto bereft = take_bereft(ticked);
    if (rescan || looks)
        bereft.reset();
    if (!bereft || !bereft->empty())
        changed = !find_lost(bereft).empty() || changed;
    if (changed || rescan || again)
        update();
    if (!asking.empty()) // who reads the maps next shall not find there what has gone
        enforcer_->finish();
    for (auto& promise : asking)
        promise.set_value();
    if (ticked)
        tick();
}

World Agent::make_world(std::vector<std::string>& warnings, size_t& nodes)
{
    auto objects = folders_->in_force();
    append(warnings, objects.duplicates);
    nodes = objects.nodes.size();
    const auto& table = parts_.interfaces.table();
    World world;
    world.audit = config_.audit;
    world.node_addresses = own_node_addresses(
        node_addresses(table, objects.nodes, config_.node_name), objects.services);
    locate(objects.pods);
    append(warnings, located_.warnings);
    world.interfaces = located_.interfaces;
    world.policies = std::move(objects.policies);
    world.cluster_policies = std::move(objects.cluster_policies);
    world.nodes = std::move(objects.nodes);
    world.pods = located_.present;
    world.namespaces = std::move(objects.namespaces);
    world.services = std::move(objects.services);
    world.slices = std::move(objects.slices);
    return world;
}

// What an earlier agent left in force is not given up for folders that may not be the real ones:
// with a mount that is missing they look like those of a node without policies, or without pods.
bool Agent::waits_for_folders(View& view)
{
    if (view.revision != 0)
        return false;
    const auto& folders = *folders_;
    const auto policies = datapath_->rules().empty() ? "" : folders.doubt(FolderKind::policy);
    const auto pods = homes_.adopted() ? folders.doubt(FolderKind::inventory) : "";
    if (policies.empty() && pods.empty())
        return false;
    view.apply_error =
        (pods.empty() ? policies : pods) + "; what an earlier agent put in force stays";
    if (pods.empty())
        view.attach_warnings = enforcer_->close_newcomers(make_world(view.warnings, view.nodes));
    return true;
}

void Agent::update()
{
    const auto start = steady_clock::now();
    trim_due_ = true;
    sort_due_ = true;
    View view = view_;
    view.warnings.clear();
    if (waits_for_folders(view))
        return report(view);
    auto world = std::make_shared<World>(make_world(view.warnings, view.nodes));
    const auto gathered = steady_clock::now() - start;
    // Before it is in force: an agent that is killed right after it leaves nothing untold.
    folders_->texts().write_few();
    const World* in_force = view_.revision == 0 ? nullptr : view_.world.get();
    auto outcome = enforce_what_fits(*enforcer_, *world, in_force, view.apply_error);
    view.apply_duration = steady_clock::now() - start;
    view.applied_ns = wall_clock_ns();
    applies_.observe(view.apply_duration, view.apply_error.empty());
    const auto [read, parse] = folders_->take_times();
    if (outcome) {
        if (view.apply_error.empty())
            folders_->remember();
        view.stages = outcome->times;
        view.stages.read = read;
        view.stages.parse = parse;
        view.stages.gather = gathered;
        applies_.observe_stages(view.stages);
        append(view.warnings, outcome->warnings);
        view.revision++;
        view.generation = outcome->report.generation;
        view.attach_warnings = outcome->report.warnings;
        view.world = std::move(world);
        view.endpoints = outcome->endpoints;
        view.rulesets = outcome->rulesets;
        view.identities = outcome->identities;
        if (outcome->report.changes > 0)
            spdlog::info(
                "generation {}: {} policies, {} endpoints, {} entries changed in {} us",
                view.generation, view.world->policy_count(), view.endpoints,
                outcome->report.changes,
                std::chrono::duration_cast<std::chrono::microseconds>(view.apply_duration).count());
    } else if (view.revision == 0) {
        view.attach_warnings = enforcer_->close_newcomers(*world);
    }
    report(view);
}

// Completes the view, posts it, and logs what is new about it.
void Agent::report(View& view)
{
    view.attach = datapath_->attach_mode();
    view.hooks = datapath_->hooks();
    view.directories = folders_->views();
    view.file_errors = folders_->file_errors();
    view.copies_error = folders_->texts().error();
    if (!interface_error_.empty())
        view.attach_warnings.push_back(interface_error_);
    append(view.warnings, shortened(folders_->notes()));
    std::vector<std::string> errors;
    for (const auto& error : view.file_errors)
        errors.push_back(error.text());
    for (const auto& dir : view.directories)
        if (!dir.error.empty())
            (dir.tolerated ? view.warnings : errors).push_back(dir.sentence());
    if (!view.apply_error.empty())
        errors.push_back(view.apply_error);
    std::vector<std::string> warnings = view.attach_warnings;
    append(warnings, view.warnings);
    view_ = view;
    board_.post(std::move(view));
    errors_.say(errors);
    warnings_.say(warnings);
}

void Agent::tick()
{
    enforcer_->finish();
    std::vector<event> ends;
    const auto swept = datapath_->sweep([&](const event& closed) { ends.push_back(closed); });
    observer_.consume_swept(ends);
    if (!swept)
        spdlog::warn("ended connections stay in their table: {}", swept.error().message);
    // Parsing and compiling leave much behind that nobody needs between changes.
    if (std::exchange(trim_due_, false))
        malloc_trim(0);
    report_refused_calls();
    // However busy it is, nothing that was said stays unwritten for long.
    folders_->texts().retry();
    folders_->texts().write_all();
    post_copies_error();
}

void Agent::post_copies_error()
{
    const auto& error = folders_->texts().error();
    if (error == view_.copies_error)
        return;
    view_.copies_error = error;
    board_.post(view_);
}

void Agent::write_texts_while_idle()
{
    ValidTexts& texts = folders_->texts();
    while (texts.due()) {
        texts.write_next();
        if (const auto woken = parts_.epoll.wait(0ms); !woken || *woken)
            break;
    }
    post_copies_error();
}

} // namespace ebpfd
