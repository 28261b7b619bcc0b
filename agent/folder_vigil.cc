// SPDX-License-Identifier: Apache-2.0
#include "folder_vigil.h"

#include <csignal>
#include <spdlog/spdlog.h>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;

constexpr auto long_look = 3s;

// Of this thread: one that arrives then ends the process as it does by default, whatever the other
// threads wait for. It is what a kill would do, and as harmless.
void set_signals_blocked(bool blocked)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, nullptr);
}

} // namespace

FolderVigil::FolderVigil(std::shared_ptr<LookedAt> looked_at, Told told)
    : looked_at_(std::move(looked_at)), told_(std::move(told)),
      thread_([this](const std::stop_token& stop) { run(stop); })
{
}

void FolderVigil::run(const std::stop_token& stop) const
{
    while (const auto look = looked_at_->wait_for_long(stop, long_look)) {
        spdlog::error(
            "the agent waits for {}, which has not answered for {} s: does its file system hang? "
            "What is in force stays in force",
            look->folder, long_look.count());
        told_(look->folder); // threads that it starts inherit what is blocked
        set_signals_blocked(false);
        looked_at_->wait_for_end(*look, stop);
        set_signals_blocked(true);
        told_(std::nullopt);
        if (!stop.stop_requested())
            spdlog::info("{} has answered", look->folder);
    }
}

} // namespace ebpfd
