// SPDX-License-Identifier: Apache-2.0
#include "agent.h"
#include "base/interface_name.h"
#include "base/privileges.h"
#include "capabilities.h"
#include "kernel/pins.h"

#include <cstdlib>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <utility>

// From nothing to an agent whose datapath enforces what it adopted.
namespace ebpfd {
namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 5s;
constexpr auto failed_start_waits = 5s;

// Runs it in a thread without privileges, for the threads that it starts.
Result<void> unprivileged(const Config& config, const std::function<void()>& work)
{
    if (config.sandbox)
        return without_privileges(work);
    work();
    return {};
}

} // namespace

Result<Agent::Parts> Agent::open_parts(const Config& config)
{
    const auto capabilities = effective_capabilities();
    if (!capabilities)
        return std::unexpected(capabilities.error());
    if (auto enough = check_capabilities(*capabilities); !enough)
        return std::unexpected(enough.error());
    auto signals = Signals::block();
    if (!signals)
        return std::unexpected(signals.error());
    auto lock = AgentLock::take(config.runtime_dir, config.bpffs);
    if (!lock)
        return std::unexpected(lock.error());
    auto interfaces = InterfaceWatcher::start();
    if (!interfaces)
        return std::unexpected(interfaces.error());
    auto filters = FilterWatcher::start();
    if (!filters)
        return std::unexpected(filters.error());
    auto ticker = Ticker::every(tick_interval);
    if (!ticker)
        return std::unexpected(ticker.error());
    auto epoll = Epoll::make();
    if (!epoll)
        return std::unexpected(epoll.error());
    return Parts{
        std::move(*lock),   std::move(*signals), std::move(*interfaces),        std::move(*filters),
        std::move(*ticker), std::move(*epoll),   Supervisor::from_environment()};
}

Result<std::unique_ptr<Agent>> Agent::start(const Config& config)
{
    auto parts = open_parts(config);
    if (!parts)
        return std::unexpected(parts.error());
    std::unique_ptr<Agent> agent(new Agent(config, std::move(*parts)));
    auto ready = agent->listen();
    if (ready)
        ready = agent->begin_vigil();
    if (ready)
        ready = agent->open_folders();
    if (ready)
        ready = agent->watch_all();
    if (ready) // the last thing that may fail: a start that fails leaves nothing pinned
        ready = agent->open_datapath();
    if (!ready) {
        agent->end_reading(ready.error());
        return std::unexpected(ready.error());
    }
    return agent;
}

Result<void> Agent::watch_all()
{
    std::vector<int> fds = folders_->fds();
    fds.insert(fds.end(), {parts_.signals.fd(), parts_.interfaces.fd(), parts_.filters.fd(),
                           parts_.ticker.fd(), rescans_.fd()});
    for (const int fd : fds)
        if (auto added = parts_.epoll.add(fd); !added)
            return added;
    const int watchdog = parts_.supervisor.fd();
    return watchdog < 0 ? Result<void>{} : parts_.epoll.add(watchdog);
}

Result<void> Agent::listen()
{
    const auto open_log = [this] {
        flow_log_ = std::make_unique<FlowLog>(observer_, *config_.flow_log);
    };
    if (config_.flow_log)
        if (auto opened = unprivileged(config_, open_log); !opened)
            return opened;
    auto servers = Servers::listen({.config = config_,
                                    .agent = facts_,
                                    .board = board_,
                                    .rescans = rescans_,
                                    .observer = observer_,
                                    .flow_log = flow_log_.get(),
                                    .totals = totals_,
                                    .applies = applies_});
    if (!servers)
        return std::unexpected(servers.error());
    servers_ = std::move(*servers);
    return {};
}

void Agent::serve()
{
    std::call_once(serving_, [this] { servers_.serve(); });
}

Result<void> Agent::begin_vigil()
{
    return unprivileged(config_, [this] {
        vigil_ = std::make_unique<FolderVigil>(
            looked_at_, [this](const auto& folder) { tell_of_wait(folder); });
    });
}

// Called by the vigil. A start that waits for a folder serves before there is a datapath: else
// nobody would answer what it waits for.
void Agent::tell_of_wait(const std::optional<std::string>& folder)
{
    board_.waits_for(folder);
    serve();
}

Result<void> Agent::open_folders()
{
    auto texts = ValidTexts::open(config_.runtime_dir + "/valid");
    if (!texts)
        return std::unexpected(texts.error());
    // By the state alone: the other maps may be of an earlier layout.
    const bool in_force = access(Pins{config_.bpffs}.map("state").c_str(), F_OK) == 0;
    auto folders =
        Folders::watch(config_.policy, config_.inventory, std::move(*texts), in_force, looked_at_);
    if (!folders)
        return std::unexpected(folders.error());
    folders_ = std::make_unique<Folders>(std::move(*folders));
    return {};
}

Result<void> Agent::open_datapath()
{
    // The two that take longest, and neither waits for what the other finds.
    reading_ = std::async(std::launch::async, [this] { folders_->rescan(); });
    auto datapath = Datapath::open({.bpffs = config_.bpffs,
                                    .capacities = config_.capacities,
                                    .audit = config_.audit,
                                    .attach = config_.attach});
    if (!datapath)
        return std::unexpected(datapath.error());
    datapath_ = std::move(*datapath);
    enforcer_ = std::make_unique<Enforcer>(*datapath_, config_.bpffs, observer_, totals_);
    observer_.on_watch([this](const watch& wanted) { datapath_->set_watch(wanted); });
    datapath_->ask_for_successors([this](uint32_t ifindex) { return find_successor(ifindex); });
    adopt_homes();
    start_gatekeeper();
    return unprivileged(config_, [this] {
        reader_ = std::make_unique<RecordReader>(*datapath_, observer_);
        serve();
    });
}

// Without it the main loop closes new interfaces, a little later: no reason to enforce nothing.
void Agent::start_gatekeeper()
{
    if (config_.pod_interfaces.empty())
        return;
    if (auto gatekeeper = Gatekeeper::start(*datapath_, config_.pod_interfaces))
        gatekeeper_ = std::move(*gatekeeper);
    else
        spdlog::error("new interfaces are closed by the main loop alone: {}",
                      gatekeeper.error().message);
}

// A start that failed leaves nothing that has to be taken away; a folder that does not answer would
// keep it from ending.
void Agent::end_reading(const Error& why)
{
    if (!reading_.valid() || reading_.wait_for(failed_start_waits) == std::future_status::ready)
        return;
    spdlog::error("{}", why.message);
    spdlog::shutdown();
    std::_Exit(EXIT_FAILURE);
}

void Agent::adopt_homes()
{
    Result<std::vector<std::pair<uint32_t, endpoint_name>>> names;
    if (const auto maps = PinnedMaps::open(config_.bpffs); maps)
        names = (*maps)->endpoint_names();
    else
        names = std::unexpected(maps.error());
    if (names) {
        std::erase_if(*names, [](const auto& one) {
            return has_other_name(one.first, one.second.interface);
        });
        homes_.adopt(*names);
        enforcer_->adopt_names(*names);
    } else {
        spdlog::warn("interfaces of pods are searched anew: {}", names.error().message);
    }
}

} // namespace ebpfd
