// SPDX-License-Identifier: Apache-2.0
#include "bench/crowd.h"
#include "bench/groups.h"
#include "policy/compile.h"

#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <malloc.h>
#include <sstream>
#include <stdexcept>

// What a node's policy costs to compile in clusters far larger than any of today: in memory,
// without files and without the kernel. All other groups' figures have their growth in the report.
namespace bench {
namespace {

using namespace std::chrono;

// Of this process, in MB: "VmRSS", or "VmHWM" for the most since forget_peak().
double memory(const std::string& field)
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(field + ":"))
            return std::stod(line.substr(field.size() + 1)) * 1024 / 1e6;
    throw std::runtime_error("no " + field);
}

void forget_peak()
{
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";
}

Measurement about(const char* name, const char* unit)
{
    return {.group = "growth", .name = name, .unit = unit, .size_name = "pods"};
}

// By a compiler that has seen the cluster before, as an agent's has.
Samples compile_changes(const Run& run, const Cluster& cluster, ebpfd::World world)
{
    ebpfd::Compiler compiler;
    must(compiler.compile(world));
    std::vector<std::shared_ptr<const ebpfd::NetworkPolicy>> policies = world.policies;
    Samples times;
    for (int round = 0; round < 10 * run.rounds(); ++round) {
        const auto port = static_cast<uint16_t>(Cluster::open_port + 1 - round % 2);
        policies.front() = read_policy(cluster.policy(0, port));
        world.policies = policies;
        const auto start = steady_clock::now();
        must(compiler.compile(world));
        times.add(ms_since(start));
    }
    return times;
}

void measure_size(Run& run, const Cluster& cluster)
{
    run.say(fmt::format("growth: {} policies, {} pods", cluster.policies, cluster.pods));
    forget_peak();
    const double empty = memory("VmRSS");
    const ebpfd::World world = cluster.world_with_interfaces();
    const double with_world = memory("VmRSS");
    Samples times;
    forget_peak();
    for (int round = 0; round < run.rounds(); ++round) {
        const auto start = steady_clock::now();
        const auto plan = must(ebpfd::compile(world));
        times.add(ms_since(start));
        if (plan.endpoints.size() != cluster.local_pods() || plan.addresses.size() < cluster.pods)
            throw std::runtime_error("a plan lacks what it should have");
    }
    run.record(about("the cluster compiled", "ms"), "all of it", cluster.pods, times);
    const auto what = about("memory of a compilation", "MB");
    run.record(what, "the cluster itself", cluster.pods, Samples({with_world - empty}));
    run.record(what, "more at the most, while it is compiled", cluster.pods,
               Samples({memory("VmHWM") - with_world}));
    run.record(about("the cluster compiled", "ms"), "a policy that changed", cluster.pods,
               compile_changes(run, cluster, world));
}

} // namespace

void measure_growth(Run& run)
{
    for (const uint32_t pods : {1'000, 10'000, 100'000, 1'000'000})
        measure_size(run, {.policies = std::min(10'000u, pods / 10), .pods = pods});
}

} // namespace bench
