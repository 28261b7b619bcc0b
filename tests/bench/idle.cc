// SPDX-License-Identifier: Apache-2.0
#include "bench/crowd.h"
#include "bench/groups.h"
#include "kernel/pinned.h"
#include "lab/socket.h"

#include <chrono>
#include <ctime>
#include <fmt/format.h>
#include <stdexcept>
#include <thread>
#include <vector>

// What the agent takes while nothing happens: 100 pods, 1,000 flows.
namespace bench {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

constexpr int flows_of_a_pod = 5; // each is a flow at either end

// CPU time of a process, all its threads, in seconds.
double cpu_seconds(pid_t pid)
{
    clockid_t clock{};
    timespec now{};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &now) != 0)
        throw std::runtime_error("no CPU time of the agent");
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

lab::Connection open_flow(const Crowd& crowd, int number, uint16_t port)
{
    const auto& from = crowd.node->pod(fmt::format("pod{}", (number + 1) % Crowd::pods));
    const auto& to = crowd.node->pod(fmt::format("pod{}", number));
    auto flow = lab::open_connection(from, to, lab::Family::v4, lab::Transport::udp, port);
    if (!flow)
        throw std::runtime_error("a flow did not open");
    return std::move(*flow);
}

} // namespace

void measure_idle(Run& run)
{
    Crowd crowd;
    for (int i = 0; i < Crowd::pods; i++)
        std::filesystem::remove(crowd.agent.policies() / fmt::format("policy-{}.yaml", i));
    if (!crowd.agent.start())
        throw std::runtime_error("ebpfd did not start: " + crowd.agent.process().err());
    std::vector<lab::Connection> flows;
    for (int pod = 0; pod < Crowd::pods; pod++)
        for (uint16_t port = 1; port <= flows_of_a_pod; port++)
            flows.push_back(open_flow(crowd, pod, port));
    const auto maps = must(ebpfd::PinnedMaps::open(crowd.agent.bpffs()));
    std::this_thread::sleep_for(2s); // what has just happened is dealt with
    const pid_t agent = crowd.agent.process().pid();
    const auto while_idle = run.quick() ? 5s : 20s;
    const double before = cpu_seconds(agent);
    std::this_thread::sleep_for(while_idle);
    const double busy = cpu_seconds(agent) - before;
    if (must(maps->flows(true)).size() < 2 * flows.size())
        throw std::runtime_error("flows have gone");
    run.record({.group = "idle", .name = "CPU while idle", .unit = "% of a core"},
               fmt::format("{} pods, {} flows", Crowd::pods, 2 * flows.size()), {},
               Samples({100 * busy / duration<double>(while_idle).count()}));
    crowd.agent.stop();
    (void)crowd.agent.detach();
}

} // namespace bench
