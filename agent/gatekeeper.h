// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "inventory/netlink.h"
#include "kernel/datapath.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace ebpfd {

// Closes interfaces of pods as soon as they come, on threads of its own: the main loop, which
// finds out whose they are, may be at work on a change for as long as a pod needs to send
// something. Several, since each waits for the kernel's network lock, and those who set up pods
// that come at the same moment wait there side by side as well.
class Gatekeeper {
public:
    // globs: the names of interfaces that belong to pods. Those that are there already are the main
    // loop's. For the calling thread's network namespace.
    static Result<std::unique_ptr<Gatekeeper>> start(Datapath& datapath,
                                                     std::vector<std::string> globs);
    ~Gatekeeper();

private:
    Gatekeeper(Datapath& datapath, std::vector<std::string> globs, NotificationSocket links,
               Fd wake_up);
    Result<void> start_threads();
    std::set<uint32_t> present() const;
    void run();
    struct Newcomer {
        uint32_t ifindex = 0;
        bool certain = true; // else it may have been there, and be enforced
    };
    std::optional<Newcomer> wait_for_one();
    Result<void> receive();
    void take(const nlmsghdr& message);
    void take_all_present();
    void shut(const Newcomer& newcomer);

    Datapath& datapath_;
    const std::vector<std::string> globs_;
    NotificationSocket links_;
    Fd wake_up_;
    std::mutex turn_;         // of the thread that listens; for what follows
    std::set<uint32_t> seen_; // those that match
    std::deque<Newcomer> newcomers_;
    std::stop_source stop_;
    std::vector<std::jthread> threads_; // the last member: they use the others
};

} // namespace ebpfd
