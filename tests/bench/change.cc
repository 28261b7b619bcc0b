// SPDX-License-Identifier: Apache-2.0
#include "bench/samples.h"
#include "kernel/pinned.h"
#include "system/agent.h"
#include "system/objects.h"

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

constexpr int pods = 100;
constexpr int policies = 100;
constexpr int rounds = 50;

template <class T> T must(ebpfd::Result<T> result)
{
    if (!result)
        throw std::runtime_error(result.error().message);
    return std::move(*result);
}

std::string pod_yaml(const lab::Machine& pod, int number)
{
    return fmt::format("apiVersion: v1\nkind: Pod\nmetadata: {{name: pod-{0}, namespace: shop, "
                       "labels: {{app: app-{0}}}}}\nspec: {{nodeName: node-1}}\nstatus: {{phase: "
                       "Running, podIPs: [{{ip: {1}}}, {{ip: '{2}'}}]}}\n",
                       number, pod.v4, pod.v6);
}

std::string policy_yaml(int number, bool open)
{
    return fmt::format(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: policy-{0}, "
        "namespace: shop}}\nspec:\n  podSelector: {{matchLabels: {{app: app-{0}}}}}\n  ingress:\n"
        "  - from: [{{podSelector: {{matchLabels: {{app: app-{1}}}}}}}]\n    ports: [{{port: "
        "{2}}}]\n",
        number, (number + 1) % pods, open ? 80 : 81);
}

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

Samples measure_policy(const Agent& agent, const ebpfd::PinnedMaps& maps, const lab::Node& node)
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

// The pod's interface is there; its inventory entry comes, or goes.
Samples measure_pod(const Agent& agent, const ebpfd::PinnedMaps& maps, const lab::Node& node)
{
    const uint32_t ifindex = ifindex_of(maps, "pod-0");
    const auto attached = [&] {
        const auto link = agent.bpffs() / "links" / fmt::format("{}-egress", ifindex);
        return ifindex_of(maps, "pod-0") == ifindex && std::filesystem::exists(link);
    };
    Samples samples;
    for (int round = 0; round < rounds / 5; round++) {
        const auto file = agent.inventory() / "pod-0.yaml";
        std::filesystem::remove(file);
        if (agent.settle().exit != exit_ok || attached())
            throw std::runtime_error("the pod did not go");
        const auto start = steady_clock::now();
        replace_file(file, pod_yaml(node.pod("pod0"), 0));
        samples.add(wait_until(start, attached));
    }
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

void show(const char* name, const Samples& samples)
{
    fmt::print("| {} | {:.1f} | {:.1f} | {:.1f} |\n", name, samples.at(0.5), samples.at(0.99),
               samples.at(1));
}

} // namespace

bool measure_changes()
{
    const auto node = must(lab::Node::make(lab::Wiring::routed));
    Agent agent(*node);
    for (int i = 0; i < pods; i++) {
        const auto* pod = must(node->add_pod(fmt::format("pod{}", i), static_cast<uint8_t>(i + 2)));
        replace_file(agent.inventory() / fmt::format("pod-{}.yaml", i), pod_yaml(*pod, i));
    }
    for (int i = 0; i < policies; i++)
        replace_file(agent.policies() / fmt::format("policy-{}.yaml", i), policy_yaml(i, true));
    if (!agent.start()) {
        fmt::print(stderr, "ebpfd did not start: {}\n", agent.process().err());
        return false;
    }
    const auto maps = must(ebpfd::PinnedMaps::open(agent.bpffs()));
    fmt::print("{} local pods, {} policies\n\n| ms | median | p99 | max |\n|---|---|---|---|\n",
               pods, policies);
    show("policy file renamed to packet judged by it", measure_policy(agent, *maps, *node));
    show("inventory entry there to pod enforced", measure_pod(agent, *maps, *node));
    fmt::print("\nresident memory of ebpfd: {} KiB\n\n", resident_kib(agent.process().pid()));
    return true;
}

} // namespace bench
