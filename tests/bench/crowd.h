// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "bench/cluster.h"
#include "kernel/pinned.h"
#include "lab/node.h"
#include "system/agent.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace bench {

template <class T> T must(ebpfd::Result<T> result)
{
    if (!result)
        throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<T>)
        return std::move(*result);
}

// Runs the function inside; what it throws comes out.
void inside(const lab::Machine& machine, const std::function<void()>& function);

double ms_since(std::chrono::steady_clock::time_point start);
// Waits until the condition holds, which it asks for each 0.1 ms or so; milliseconds since start.
// Throws after a minute.
double wait_until(std::chrono::steady_clock::time_point start,
                  const std::function<bool()>& condition);

// CPU time of a process, all its threads, in seconds.
double cpu_seconds(pid_t pid);

// A node with as many real pods as clusters have local ones: pod N is the lab's "podN".
std::unique_ptr<lab::Node> make_crowded_node(uint32_t pods = Cluster::most_local);

// A cluster on such a node: the files, and an agent that does not run yet.
class Crowd {
public:
    Crowd(const lab::Node& node, const Cluster& cluster);

    // Until all that lies in the files is in force.
    void start(const lab::Argv& options = {});
    // The same in two steps, for who looks meanwhile.
    void launch(const lab::Argv& options);
    void settle();
    // Takes the datapath away as well.
    void stop();
    // Until the agent has nothing left to do for the last change.
    void rest() const;
    // Until pods have the links that take over from filters in quiet moments, where the kernel has
    // such: that goes on for a while after a start.
    void wait_for_links() const;

    // Whether the loaded program lets TCP from an address in to pod 0; nothing while it cannot say.
    std::optional<bool> lets_in(const ebpfd::IpAddress& from,
                                uint16_t port = Cluster::open_port) const;
    // Whether there is a loaded program that can be asked.
    bool is_loaded();

    const lab::Node& node() const { return node_; }
    const Cluster& cluster() const { return cluster_; }
    system_test::Agent& agent() { return agent_; }
    const system_test::Agent& agent() const { return agent_; }
    const ebpfd::PinnedMaps& maps() const { return *maps_; }

private:
    const lab::Node& node_;
    Cluster cluster_;
    system_test::Agent agent_;
    uint32_t pod_0_ = 0; // its interface
    std::unique_ptr<ebpfd::PinnedMaps> maps_;
};

} // namespace bench
