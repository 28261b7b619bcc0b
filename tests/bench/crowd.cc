// SPDX-License-Identifier: Apache-2.0
#include "bench/crowd.h"

#include "kernel/pins.h"

#include <ctime>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <net/if.h>
#include <thread>

namespace bench {

using namespace std::chrono;
using namespace std::chrono_literals;

void inside(const lab::Machine& machine, const std::function<void()>& function)
{
    std::exception_ptr failure;
    machine.netns.enter([&] {
        try {
            function();
        } catch (...) {
            failure = std::current_exception();
        }
    });
    if (failure)
        std::rethrow_exception(failure);
}

double ms_since(steady_clock::time_point start)
{
    return duration<double, std::milli>(steady_clock::now() - start).count();
}

// Who waited without rest would take a core from those that work.
double wait_until(steady_clock::time_point start, const std::function<bool()>& condition)
{
    constexpr auto pause = 20us;
    while (!condition()) {
        if (steady_clock::now() - start > 1min)
            throw std::runtime_error("nothing happened within a minute");
        std::this_thread::sleep_for(pause);
    }
    return ms_since(start);
}

double cpu_seconds(pid_t pid)
{
    clockid_t clock{};
    timespec now{};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &now) != 0)
        throw std::runtime_error("no CPU time of the agent");
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::unique_ptr<lab::Node> make_crowded_node(uint32_t pods)
{
    auto node = must(lab::Node::make(lab::Wiring::routed));
    for (uint32_t number = 0; number < pods; ++number)
        must(node->add_pod(fmt::format("pod{}", number), static_cast<uint8_t>(number + 2)));
    return node;
}

Crowd::Crowd(const lab::Node& node, const Cluster& cluster)
    : node_(node), cluster_(cluster), agent_(node)
{
    for (const auto& [name, text] : cluster.policy_files())
        std::ofstream(agent_.policies() / name) << text;
    for (const auto& [name, text] : cluster.inventory_files())
        std::ofstream(agent_.inventory() / name) << text;
    inside(node.host(), [&] { pod_0_ = if_nametoindex(node.pod("pod0").host_interface.c_str()); });
}

void Crowd::launch(const lab::Argv& options)
{
    lab::Argv all{"--log-level", "info"};
    all.insert(all.end(), options.begin(), options.end());
    agent_.launch(all);
}

void Crowd::settle()
{
    if (agent_.ctl({"status", "--wait", "--timeout", "25s"}).exit != system_test::exit_ok)
        throw std::runtime_error("ebpfd did not start: " + agent_.process().err());
}

void Crowd::start(const lab::Argv& options)
{
    launch(options);
    wait_until(steady_clock::now(), [&] {
        if (!agent_.running())
            throw std::runtime_error("ebpfd did not start: " + agent_.process().err());
        return is_loaded();
    });
    settle();
    wait_for_links();
}

bool Crowd::is_loaded()
{
    if (!std::filesystem::exists(agent_.bpffs() / "progs" / "trace_packet"))
        return false;
    maps_ = must(ebpfd::PinnedMaps::open(agent_.bpffs()));
    return true;
}

void Crowd::stop()
{
    maps_.reset();
    agent_.stop();
    (void)agent_.detach();
}

// Housekeeping takes less than that of a moment.
void Crowd::rest() const
{
    constexpr auto moment = 25ms;
    constexpr double little = 0.002;
    const pid_t pid = agent_.process().pid();
    for (double before = cpu_seconds(pid), busy = 1; busy > little;) {
        std::this_thread::sleep_for(moment);
        const double now = cpu_seconds(pid);
        busy = now - before;
        before = now;
    }
}

void Crowd::wait_for_links() const
{
    const auto links = [&] { return ebpfd::names_in(agent_.bpffs() / "links").size(); };
    size_t before = 0;
    do {
        before = links();
        std::this_thread::sleep_for(500ms);
    } while (links() != before);
}

std::optional<bool> Crowd::lets_in(const ebpfd::IpAddress& from, uint16_t port) const
{
    const auto answer = maps_->trace({.ifindex = pod_0_,
                                      .dir = DIRECTION_INGRESS,
                                      .source = from,
                                      .destination = cluster_.pod(0).addresses.front(),
                                      .port = port});
    return answer ? std::optional(answer->outcome == VERDICT_ALLOW) : std::nullopt;
}

} // namespace bench
