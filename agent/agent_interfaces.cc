// SPDX-License-Identifier: Apache-2.0
#include "agent.h"
#include "base/interface_name.h"
#include "inventory/locate.h"

#include <algorithm>
#include <poll.h>
#include <ranges>
#include <spdlog/spdlog.h>
#include <utility>

// Which interfaces there are, which have gone or lost their programs, and whose they are.
namespace ebpfd {
namespace {

using std::chrono::steady_clock;

constexpr int interface_rounds = 16; // bounds how long a storm of notifications holds the loop

bool is_readable(int fd)
{
    pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&wanted, 1, 0) > 0;
}

} // namespace

// The interfaces that may have lost their programs by now. Whoever takes them again and again is
// answered with each tick, not each time.
Datapath::Interfaces Agent::take_bereft(bool ticked)
{
    auto bereft = parts_.filters.take();
    filters_unclear_ = filters_unclear_ || !bereft;
    auto found = std::move(bereft).value_or(std::set<uint32_t>{});
    if (!ticked) {
        std::erase_if(found, [this](uint32_t ifindex) { return put_back_.contains(ifindex); });
        return found;
    }
    found.merge(std::exchange(put_back_, {}));
    return std::exchange(filters_unclear_, false) ? std::nullopt : std::optional(found);
}

// Interfaces that have lost their programs: they are open until they get them again.
std::set<uint32_t> Agent::find_lost(const Datapath::Interfaces& among)
{
    enforcer_->finish();
    std::set<uint32_t> lost;
    for (const auto& [ifindex, name] : datapath_->find_lost(among)) {
        spdlog::error("interface {} was open: somebody had removed ebpfd's programs from it; they "
                      "are put there again",
                      name);
        lost.insert(ifindex);
    }
    put_back_.insert(lost.begin(), lost.end());
    applies_.count_reattached(lost.size());
    return lost;
}

// What was known of interfaces that have gone holds for no other of that number. After an overrun
// they are told by what has gone with them.
bool Agent::forget_gone()
{
    auto gone = parts_.interfaces.take_gone();
    if (parts_.interfaces.take_overrun())
        for (const uint32_t ifindex : find_lost({}))
            gone.try_emplace(ifindex);
    if (gone.empty())
        return false;
    enforcer_->finish();
    homes_.leave(gone, steady_clock::now());
    const auto numbers = gone | std::views::keys;
    datapath_->forget({numbers.begin(), numbers.end()});
    return true;
}

bool Agent::take_notifications()
{
    bool changed = false;
    bool failed = false;
    for (int i = 0; i < interface_rounds; i++) {
        const auto processed = parts_.interfaces.process();
        const std::string error = processed ? "" : processed.error().message;
        changed = changed || error != interface_error_ || (processed && *processed);
        interface_error_ = error;
        // After an error nothing need wake us again: once more now, then with every tick.
        if (!processed && std::exchange(failed, true))
            break;
        if (processed && !is_readable(parts_.interfaces.fd()))
            break;
    }
    return changed;
}

bool Agent::collect_interfaces()
{
    bool changed = take_notifications();
    changed = std::exchange(noticed_, false) || changed;
    changed = forget_gone() || changed;
    located_.stale = located_.stale || changed;
    return changed;
}

// Between looking and attaching some milliseconds pass, in which another interface may have got the
// number of one that has gone.
Successor Agent::find_successor(uint32_t ifindex)
{
    noticed_ = take_notifications() || noticed_;
    if (!parts_.interfaces.has_gone(ifindex))
        return Successor::none;
    noticed_ = true;
    const auto name = interface_name(ifindex);
    return !name.empty() && matches_any(name, config_.pod_interfaces) ? Successor::pods
                                                                      : Successor::others;
}

void Agent::locate(const SharedList<std::shared_ptr<const Pod>>& pods)
{
    if (!std::exchange(located_.stale, false) && located_.pods.is(pods))
        return;
    located_.pods = pods;
    located_.warnings.clear();
    located_.interfaces = homes_.locate(pods, parts_.interfaces.table(), config_.node_name,
                                        config_.pod_interfaces, &located_.warnings);
    located_.present = pods;
    if (const auto& away = homes_.away(); !away.empty())
        std::erase_if(located_.present.edit(),
                      [&](const auto& pod) { return away.contains(pod.get()); });
}

} // namespace ebpfd
