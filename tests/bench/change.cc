// SPDX-License-Identifier: Apache-2.0
#include "bench/crowd.h"
#include "bench/groups.h"
#include "kernel/pinned.h"
#include "lab/socket.h"
#include "system/agent.h"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <stdexcept>

// From a file's rename to the first packet judged by it, and what the agent takes meanwhile.
namespace bench {
namespace {

using namespace std::chrono;
using namespace system_test;

// Waits, without rest, until the condition holds; milliseconds since start.
template <class Condition> double wait_until(steady_clock::time_point start, Condition condition)
{
    while (!condition()) {
        if (steady_clock::now() - start > 10s)
            throw std::runtime_error("nothing happened within 10 s");
    }
    return duration<double, std::milli>(steady_clock::now() - start).count();
}

uint32_t ifindex_of(const ebpfd::PinnedMaps& maps, const std::string& pod)
{
    for (const auto& [ifindex, name] : must(maps.endpoint_names()))
        if (pod == name.pod)
            return ifindex;
    return 0;
}

Samples measure_policy(const Agent& agent, const ebpfd::PinnedMaps& maps, const lab::Node& node,
                       int rounds)
{
    const ebpfd::TraceQuestion question{
        .ifindex = ifindex_of(maps, "pod-0"),
        .dir = DIRECTION_INGRESS,
        .source = ebpfd::IpAddress::parse(node.pod("pod1").v4).value(),
        .destination = ebpfd::IpAddress::parse(node.pod("pod0").v4).value(),
        .port = 80};
    Samples samples;
    for (int round = 0; round < rounds; round++) {
        const bool open = round % 2 != 0;
        const auto start = steady_clock::now();
        replace_file(agent.policies() / "policy-0.yaml", policy_yaml(0, open));
        samples.add(wait_until(
            start, [&] { return (must(maps.trace(question)).outcome == VERDICT_ALLOW) == open; }));
    }
    return samples;
}

// Whether packets of both directions have been judged on the pod's interface.
bool is_enforced(const ebpfd::PinnedMaps& maps, const std::string& pod)
{
    for (const auto& [ifindex, name] : must(maps.endpoint_names())) {
        if (pod != name.pod)
            continue;
        uint64_t seen[DIRECTION_COUNT] = {};
        const auto rows = must(maps.counters(name.index));
        for (uint32_t row = 0; row < COUNTERS_PER_ENDPOINT; row++)
            seen[row / (COUNTERS_PER_ENDPOINT / DIRECTION_COUNT)] += rows[row].packets;
        return seen[DIRECTION_INGRESS] != 0 && seen[DIRECTION_EGRESS] != 0;
    }
    return false;
}

// How long it takes, from now on, until packets of both directions have been judged.
double until_enforced(const ebpfd::PinnedMaps& maps, const std::string& name,
                      const lab::Machine& pod, const lab::Machine& peer)
{
    const auto start = steady_clock::now();
    const auto out = lab::Socket::connect(pod, lab::Transport::udp, peer.v4, 9);
    const auto in = lab::Socket::connect(peer, lab::Transport::udp, pod.v4, 9);
    return wait_until(start, [&] {
        out.send("x");
        in.send("x");
        return is_enforced(maps, name);
    });
}

// The pod's interface is there and packets go both ways; its inventory entry comes, or goes.
Samples measure_entry(const Agent& agent, const ebpfd::PinnedMaps& maps, const lab::Node& node,
                      int rounds)
{
    const auto &pod = node.pod("pod0"), &peer = node.pod("pod1");
    const auto file = agent.inventory() / "pod-0.yaml";
    Samples samples;
    for (int round = 0; round < rounds; round++) {
        std::filesystem::remove(file);
        if (agent.settle().exit != exit_ok ||
            !lab::eventually([&] { return ifindex_of(maps, "pod-0") == 0; }))
            throw std::runtime_error("the pod did not go");
        replace_file(file, pod_yaml(pod.v4, pod.v6, 0));
        samples.add(until_enforced(maps, "pod-0", pod, peer));
    }
    return samples;
}

// The inventory entry is there; the interface comes. Time begins when it has its address.
Samples measure_interface(const Agent& agent, const ebpfd::PinnedMaps& maps, lab::Node& node,
                          int rounds)
{
    constexpr int number = Crowd::pods + 2;
    replace_file(
        agent.inventory() / "late.yaml",
        pod_yaml(fmt::format("10.1.0.{}", number), fmt::format("fd00:1::{}", number), number));
    const auto name = fmt::format("pod-{}", number);
    Samples samples;
    for (int round = 0; round < rounds; round++) {
        const auto* pod = must(node.add_pod("late", number));
        samples.add(until_enforced(maps, name, *pod, node.pod("pod1")));
        node.remove_pod("late");
        if (!lab::eventually([&] { return ifindex_of(maps, name) == 0; }))
            throw std::runtime_error("the pod did not go");
    }
    std::filesystem::remove(agent.inventory() / "late.yaml");
    return samples;
}

long resident_kib(pid_t pid)
{
    std::ifstream status(fmt::format("/proc/{}/status", pid));
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:"))
            return std::stol(line.substr(6));
    return -1;
}

void measure_changes_with(Run& run, lab::Node& node, Agent& agent, const std::string& mode)
{
    if (!agent.start({"--attach", mode}))
        throw std::runtime_error("ebpfd did not start: " + agent.process().err());
    const auto maps = must(ebpfd::PinnedMaps::open(agent.bpffs()));
    const int rounds = run.quick() ? 20 : 50;
    const auto record = [&](const char* name, const Samples& samples) {
        run.record({.group = "change", .name = name, .unit = "ms"}, mode, {}, samples);
    };
    record("policy file renamed to packet judged by it",
           measure_policy(agent, *maps, node, rounds));
    record("inventory entry comes to pod enforced", measure_entry(agent, *maps, node, rounds / 2));
    record("interface comes to pod enforced", measure_interface(agent, *maps, node, rounds / 2));
    run.record({.group = "change", .name = "resident memory of ebpfd", .unit = "KiB"}, mode, {},
               Samples({static_cast<double>(resident_kib(agent.process().pid()))}));
    agent.stop();
    (void)agent.detach();
}

} // namespace

void measure_changes(Run& run)
{
    Crowd crowd;
    measure_changes_with(run, *crowd.node, crowd.agent, "tcx");
    if (!run.quick())
        measure_changes_with(run, *crowd.node, crowd.agent, "clsact");
}

} // namespace bench
