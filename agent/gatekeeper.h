// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "inventory/netlink.h"
#include "kernel/datapath.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace ebpfd {

// Closes interfaces of pods as soon as they come, on a thread of its own: the main loop, which
// finds out whose they are, may be at work on a change for as long as a pod needs to send
// something.
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
    void each_present(const std::function<void(uint32_t, const std::string&)>& visit) const;
    void run(const std::stop_token& stop);
    void take(const nlmsghdr& message);
    void shut_all();
    void shut(uint32_t ifindex, const std::string& name);

    Datapath& datapath_;
    const std::vector<std::string> globs_;
    NotificationSocket links_;
    Fd wake_up_;
    std::set<uint32_t> seen_; // those that match
    std::jthread thread_;     // the last member: it uses the others
};

} // namespace ebpfd
