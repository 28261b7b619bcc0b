// SPDX-License-Identifier: Apache-2.0
#include "kernel/handover.h"

#include "base/interface_name.h"
#include "base/log.h"
#include "base/privileges.h"

#include <algorithm>

namespace ebpfd {

namespace {

using namespace std::chrono_literals;

constexpr auto quiet = 500ms;   // without new interfaces, before work begins
constexpr auto patience = 10s;  // that an interface waits for a quiet moment
constexpr auto breather = 50ms; // between two interfaces, for others who want the network lock

} // namespace

Handover::Handover(Work work)
    : work_(std::move(work)), thread_([this](const std::stop_token& stop) { run(stop); })
{
}

void Handover::add(uint32_t ifindex)
{
    const std::lock_guard lock(mutex_);
    waiting_.push_back({ifindex, Clock::now()});
    changed_.notify_all();
}

void Handover::remove(uint32_t ifindex)
{
    std::unique_lock lock(mutex_);
    std::erase_if(waiting_, [&](const Waiting& one) { return one.ifindex == ifindex; });
    changed_.wait(lock, [&] { return busy_ != ifindex; });
}

Handover::Clock::time_point Handover::due() const
{
    return std::min(waiting_.back().since + quiet, waiting_.front().since + patience);
}

void Handover::run(const std::stop_token& stop)
{
    // It begins while the agent still loads programs, and lives on.
    if (auto kept = keep_running_privileges(); !kept)
        spdlog::warn("links are made with more privileges than it takes: {}", kept.error().message);
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [&] { return !waiting_.empty(); }) && !stop.stop_requested()) {
        const auto begin = due();
        const auto changed = [&] { return waiting_.empty() || due() != begin; };
        if (changed_.wait_until(lock, stop, begin, changed) || stop.stop_requested())
            continue;
        busy_ = waiting_.front().ifindex;
        waiting_.pop_front();
        lock.unlock();
        if (auto done = work_(*busy_); !done && !interface_name(*busy_).empty())
            spdlog::warn("interface {} keeps its tc filters: {}", *busy_, done.error().message);
        lock.lock();
        busy_.reset();
        changed_.notify_all();
        changed_.wait_for(lock, stop, breather, [] { return false; });
    }
}

} // namespace ebpfd
