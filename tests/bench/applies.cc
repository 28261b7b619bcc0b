// SPDX-License-Identifier: Apache-2.0
#include "bench/crowd.h"
#include "bench/policy.h"
#include "kernel/datapath.h"
#include "policy/compile.h"

#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <net/if.h>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace bench {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;
using ebpfd::Plan;
using ebpfd::World;

constexpr int blocks = 10'000;

// A datapath of our own on the pods of a node.
class Loaded {
public:
    Loaded()
    {
        ebpfd::DatapathOptions options;
        options.bpffs = bpffs_;
        datapath_ = must(ebpfd::Datapath::open(options));
        maps_ = must(ebpfd::PinnedMaps::open(bpffs_));
    }
    Loaded(const Loaded&) = delete;
    Loaded& operator=(const Loaded&) = delete;
    ~Loaded()
    {
        maps_.reset();
        datapath_.reset();
        (void)ebpfd::Datapath::detach(bpffs_);
    }
    void apply(const Plan& plan)
    {
        const auto report = must(datapath_->apply(plan));
        if (!report.warnings.empty())
            throw std::runtime_error(report.warnings.front());
    }
    void settle() { must(datapath_->settle()); }
    bool allows(const ebpfd::TraceQuestion& question) const
    {
        const auto answer = maps_->trace(question);
        return answer && answer->outcome == VERDICT_ALLOW;
    }

private:
    std::string bpffs_ = fmt::format("/sys/fs/bpf/ebpfd-bench-{}", getpid());
    std::unique_ptr<ebpfd::Datapath> datapath_;
    std::unique_ptr<ebpfd::PinnedMaps> maps_;
};

// Two plans, and who is let in by the second alone.
struct Pair {
    Plan closed;
    Plan open;
    ebpfd::TraceQuestion question;
};

World world_on(const lab::Node& node, const Cluster& cluster)
{
    World world = cluster.world();
    for (uint32_t number = 0; number < cluster.local_pods(); ++number) {
        const std::string& name = node.pod(fmt::format("pod{}", number)).host_interface;
        world.interfaces.push_back({if_nametoindex(name.c_str()), name, world.pods[number]});
    }
    return world;
}

ebpfd::TraceQuestion to_pod_0(const World& world, const ebpfd::IpAddress& source, uint16_t port)
{
    return {.ifindex = world.interfaces.front().ifindex,
            .dir = DIRECTION_INGRESS,
            .source = source,
            .destination = world.pods.front()->addresses.front(),
            .port = port};
}

// With that policy instead of policy 0, or beside all.
World with(World world, const std::string& policy, bool beside)
{
    std::vector<std::shared_ptr<const ebpfd::NetworkPolicy>> policies = world.policies;
    if (beside)
        policies.push_back(read_policy(policy));
    else
        policies.front() = read_policy(policy);
    world.policies = std::move(policies);
    return world;
}

// One after the other by one compiler, as the agent does it.
Pair pair_of(const World& closed, const World& open, const ebpfd::TraceQuestion& question)
{
    ebpfd::Compiler compiler;
    Plan first = must(compiler.compile(closed));
    return {std::move(first), must(compiler.compile(open)), question};
}

Pair one_rule(const World& world, const Cluster& cluster)
{
    const auto source = world.pods[cluster.pod_of(0, 2)]->addresses.front();
    return pair_of(with(world, cluster.policy(0, Cluster::open_port + 1), false),
                   with(world, cluster.policy(0), false),
                   to_pod_0(world, source, Cluster::open_port));
}

Pair all_blocks(const World& world)
{
    return pair_of(with(world, policy_of_blocks(0, blocks), true),
                   with(world, policy_of_blocks(1, blocks), true),
                   to_pod_0(world, *ebpfd::IpAddress::parse(block_address(1, 0)), block_port));
}

// Microseconds from the call to the first answer by the new plan, which another thread asks the
// loaded program for without rest.
double until_judged(Loaded& loaded, const Pair& plans, bool open)
{
    std::atomic<bool> asking = false;
    steady_clock::time_point judged;
    std::jthread asker([&](const std::stop_token& stop) {
        asking = true;
        const auto deadline = steady_clock::now() + 10s;
        while (loaded.allows(plans.question) != open && !stop.stop_requested() &&
               steady_clock::now() < deadline)
            ;
        judged = steady_clock::now();
    });
    while (!asking)
        std::this_thread::yield();
    const auto start = steady_clock::now();
    loaded.apply(open ? plans.open : plans.closed);
    asker.join();
    if (loaded.allows(plans.question) != open)
        throw std::runtime_error("a plan was applied and is not in force");
    return duration<double, std::micro>(judged - start).count();
}

Samples flip(Loaded& loaded, const Pair& plans, int rounds)
{
    loaded.apply(plans.closed);
    Samples samples;
    for (int round = 0; round < rounds; ++round) {
        loaded.settle(); // what no change waits for
        samples.add(until_judged(loaded, plans, round % 2 == 0));
    }
    loaded.settle();
    return samples;
}

void show(Run& run, const Cluster& cluster, const char* name, const Samples& samples)
{
    run.record({.group = "policy", .name = name, .unit = "us", .size_name = "pods"},
               fmt::format("{} policies", cluster.policies), cluster.pods, samples);
}

} // namespace

std::string block_address(int list, int number)
{
    return fmt::format("100.{}.{}.{}", 64 + list, number >> 8 & 255, number & 255);
}

std::string policy_of_blocks(int list, int count)
{
    std::string text = fmt::format("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                   "metadata: {{name: blocks, namespace: space-0}}\n"
                                   "spec:\n  podSelector: {{matchLabels: {{app: app-0}}}}\n"
                                   "  ingress:\n  - ports: [{{port: {}}}]\n    from:\n",
                                   block_port);
    for (int number = 0; number < count; ++number)
        text += fmt::format("    - ipBlock: {{cidr: {}/32}}\n", block_address(list, number));
    return text;
}

void measure_applies(Run& run, const lab::Node& node, const Cluster& cluster)
{
    run.say(fmt::format("policy: {} policies, {} pods: compiling", cluster.policies, cluster.pods));
    inside(node.host(), [&] {
        const World world = world_on(node, cluster);
        Loaded loaded;
        const int rounds = run.quick() ? 50 : 200;
        show(run, cluster, "one rule changed, plan ready to packet judged",
             flip(loaded, one_rule(world, cluster), rounds));
        show(run, cluster, "10,000 addresses of a policy replaced, plan ready to packet judged",
             flip(loaded, all_blocks(world), rounds / 5));
    });
}

} // namespace bench
