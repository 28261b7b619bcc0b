// SPDX-License-Identifier: Apache-2.0
#include "bench/policy.h"

#include "bench/crowd.h"
#include "bench/groups.h"
#include "lab/socket.h"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>

// From the rename of a file to the first packet that is judged by it, in clusters of several sizes.
namespace bench {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr uint8_t late_number = 253; // of a pod that comes and goes
constexpr int blocks = 10'000;

// As many as fit into some time, within bounds: in the largest clusters each takes a second.
class Rounds {
public:
    explicit Rounds(const Run& run)
        : most_(run.quick() ? 10 : 50), end_(steady_clock::now() + (run.quick() ? 2s : 12s))
    {
    }
    bool next()
    {
        constexpr int least = 4;
        return ++round_ <= most_ && (round_ <= least || steady_clock::now() < end_);
    }
    bool is_even() const { return round_ % 2 == 0; }

private:
    int most_;
    steady_clock::time_point end_;
    int round_ = 0;
};

// A file with two states, and how a packet to pod 0 tells them apart.
struct Switch {
    fs::path file;
    std::string closed; // its text while the packet is refused; empty: there is no file
    std::string open;
    ebpfd::IpAddress source;
    uint16_t port = Cluster::open_port;
};

// Milliseconds from the rename, or the removal.
double put(const Crowd& crowd, const Switch& what, bool open)
{
    const std::string& text = open ? what.open : what.closed;
    const fs::path hidden = what.file.parent_path() / ".bench.new";
    std::ofstream(hidden) << text;
    const auto start = steady_clock::now();
    if (text.empty())
        fs::remove(what.file);
    else
        fs::rename(hidden, what.file);
    return wait_until(start, [&] { return crowd.lets_in(what.source, what.port) == open; });
}

// Of both changes where both states have a file, else of its coming alone. Ends open.
Samples flip(const Run& run, const Crowd& crowd, const Switch& what)
{
    Samples samples;
    put(crowd, what, true);
    for (Rounds rounds(run); rounds.next();) {
        crowd.rest();
        const double ms = put(crowd, what, rounds.is_even());
        if (rounds.is_even() || !what.closed.empty())
            samples.add(ms);
    }
    put(crowd, what, true);
    return samples;
}

// Of a workload that pod 0's policy lets in, or of the one beside it.
ebpfd::Pod late_pod(const Cluster& cluster, bool front)
{
    ebpfd::Pod pod = cluster.pod(cluster.pod_of(0, front ? 2 : 1));
    pod.name = "late";
    pod.node = "node-2";
    pod.addresses = {*ebpfd::IpAddress::parse("10.200.0.1")};
    return pod;
}

Switch policy_changed(const Crowd& crowd)
{
    const Cluster& cluster = crowd.cluster();
    return {.file = crowd.agent().policies() / "policy-0.yaml",
            .closed = cluster.policy(0, Cluster::open_port + 1),
            .open = cluster.policy(0),
            .source = cluster.pod(cluster.pod_of(0, 2)).addresses.front()};
}

Switch pod_appears(const Crowd& crowd)
{
    const ebpfd::Pod pod = late_pod(crowd.cluster(), true);
    return {.file = crowd.agent().inventory() / "late.yaml",
            .closed = {},
            .open = yaml_of(pod),
            .source = pod.addresses.front()};
}

Switch pod_relabelled(const Crowd& crowd)
{
    Switch out = pod_appears(crowd);
    out.closed = yaml_of(late_pod(crowd.cluster(), false));
    return out;
}

// It joins the team that pod 0's policy lets in: all policies that name either team are concerned.
Switch namespace_relabelled(const Crowd& crowd)
{
    constexpr uint32_t number = Cluster::teams - 1;
    const Cluster& cluster = crowd.cluster();
    return {.file = crowd.agent().inventory() / fmt::format("namespace-{}.yaml", number),
            .closed = yaml_of(cluster.space(number)),
            .open = yaml_of(cluster.space(number, 0)),
            .source = cluster.pod(cluster.pod_of(number, 2)).addresses.front()};
}

Switch addresses_replaced(const Crowd& crowd)
{
    const auto source = *ebpfd::IpAddress::parse(block_address(1, 0));
    return {.file = crowd.agent().policies() / "blocks.yaml",
            .closed = policy_of_blocks(0, blocks),
            .open = policy_of_blocks(1, blocks),
            .source = source,
            .port = block_port};
}

void show(Run& run, const Crowd& crowd, const char* name, const Samples& samples)
{
    const Cluster& cluster = crowd.cluster();
    run.record({.group = "policy", .name = name, .unit = "ms", .size_name = "pods"},
               fmt::format("{} policies", cluster.policies), cluster.pods, samples);
}

void measure_files(Run& run, const Crowd& crowd)
{
    const auto show_flip = [&](const char* name, const Switch& what) {
        show(run, crowd, name, flip(run, crowd, what));
    };
    show_flip("a policy's file to packet", policy_changed(crowd));
    show_flip("a pod appears", pod_appears(crowd));
    show_flip("a pod is relabelled", pod_relabelled(crowd));
    fs::remove(crowd.agent().inventory() / "late.yaml");
    crowd.rest();
}

// What the agent's time went into. Rounds in which it had something else to do do not count.
class StageSamples {
public:
    // attaches: packets wait for programs to be put on an interface.
    StageSamples(const Crowd& crowd, bool attaches) : crowd_(crowd), attaches_(attaches) {}

    // change returns the milliseconds it took until packets were judged by it; so does this.
    double measure(const std::function<double()>& change)
    {
        const Stages before = read_stages(crowd_.node());
        const double whole = change();
        crowd_.rest();
        const Stages after = read_stages(crowd_.node());
        if (after.changes != before.changes + 1)
            return whole;
        double rest = whole;
        for (const auto& [stage, seconds] : after.seconds) {
            const double ms = 1e3 * (seconds - before.seconds.at(stage));
            samples_[stage].add(ms);
            if (stage != "names" && (stage != "attach" || attaches_))
                rest -= ms;
        }
        samples_["the rest, such as to notice"].add(rest);
        return whole;
    }
    void show(Run& run, const char* name) const
    {
        const Cluster& cluster = crowd_.cluster();
        for (const auto& [stage, all] : samples_)
            run.record({.group = "policy",
                        .name = fmt::format("stages: {}, {} policies, {} pods", name,
                                            cluster.policies, cluster.pods),
                        .unit = "ms"},
                       stage, {}, all);
    }

private:
    const Crowd& crowd_;
    const bool attaches_;
    std::map<std::string, Samples> samples_;
};

void measure_stages(Run& run, const Crowd& crowd, const char* name, const Switch& what)
{
    StageSamples samples(crowd, false);
    put(crowd, what, true);
    crowd.rest();
    for (Rounds rounds(run); rounds.next();)
        samples.measure([&] { return put(crowd, what, rounds.is_even()); });
    put(crowd, what, true);
    samples.show(run, name);
}

uint32_t ifindex_of(const ebpfd::PinnedMaps& maps, const std::string& pod)
{
    for (const auto& [ifindex, name] : must(maps.endpoint_names()))
        if (pod == name.pod)
            return ifindex;
    return 0;
}

// Whether packets of both directions have been judged on the pod's interface.
bool is_enforced(const ebpfd::PinnedMaps& maps, const std::string& pod)
{
    for (const auto& [ifindex, name] : must(maps.endpoint_names())) {
        if (pod != name.pod)
            continue;
        uint64_t seen[DIRECTION_COUNT] = {};
        const auto counters = must(maps.counters(name.index));
        for (uint32_t row = 0; row < COUNTERS_PER_ENDPOINT; row++)
            seen[row / (COUNTERS_PER_ENDPOINT / DIRECTION_COUNT)] += counters.row[row].packets;
        return seen[DIRECTION_INGRESS] != 0 && seen[DIRECTION_EGRESS] != 0;
    }
    return false;
}

// How long it takes, from now on, until packets of both directions have been judged.
double until_enforced(const Crowd& crowd, const lab::Machine& pod)
{
    const lab::Machine& peer = crowd.node().pod("pod1");
    const auto start = steady_clock::now();
    const auto out = lab::Socket::connect(pod, lab::Transport::udp, peer.v4, 9);
    const auto in = lab::Socket::connect(peer, lab::Transport::udp, pod.v4, 9);
    return wait_until(start, [&] {
        out.send("x");
        in.send("x");
        return is_enforced(crowd.maps(), "late");
    });
}

void forget_pod(const Crowd& crowd, lab::Node& node, const fs::path& entry)
{
    crowd.rest();
    fs::remove(entry);
    node.remove_pod("late");
    if (!lab::eventually([&] { return ifindex_of(crowd.maps(), "late") == 0; }))
        throw std::runtime_error("the pod did not go");
    crowd.rest();
}

// A pod of this node comes. Time begins with the second of its two halves: the inventory's entry,
// or the interface once it has its address. The interface is a new one each time, as a pod's is.
void measure_new_pod(Run& run, const Crowd& crowd, lab::Node& node)
{
    ebpfd::Pod pod = crowd.cluster().pod(0);
    pod.name = "late";
    pod.addresses = {*ebpfd::IpAddress::parse(fmt::format("10.1.0.{}", late_number)),
                     *ebpfd::IpAddress::parse(fmt::format("fd00:1::{}", late_number))};
    const fs::path entry = crowd.agent().inventory() / "late.yaml";
    Samples interfaces, entries;
    StageSamples stages(crowd, true);
    for (Rounds rounds(run); rounds.next();) {
        system_test::replace_file(entry, yaml_of(pod));
        crowd.rest();
        const lab::Machine* machine = must(node.add_pod("late", late_number));
        interfaces.add(until_enforced(crowd, *machine));
        forget_pod(crowd, node, entry);
        machine = must(node.add_pod("late", late_number));
        crowd.rest();
        entries.add(stages.measure([&] {
            system_test::replace_file(entry, yaml_of(pod));
            return until_enforced(crowd, *machine);
        }));
        forget_pod(crowd, node, entry);
    }
    show(run, crowd, "a local pod's interface comes, its entry is there", interfaces);
    show(run, crowd, "a local pod's entry comes, its interface is there", entries);
    stages.show(run, "a local pod's entry");
}

constexpr Cluster usual{.policies = 1'000, .pods = 10'000};
constexpr Cluster largest{.policies = 10'000, .pods = 100'000};

std::vector<Cluster> clusters(const Run& run)
{
    if (run.quick())
        return {usual, largest};
    return {{1'000, 100}, {1'000, 1'000},   {10, 10'000},     {100, 10'000},
            usual,        {10'000, 10'000}, {1'000, 100'000}, largest};
}

void measure_cluster(Run& run, lab::Node& node, const Cluster& cluster)
{
    run.say(fmt::format("policy: {} policies, {} pods: starting", cluster.policies, cluster.pods));
    Crowd crowd(node, cluster);
    // How pods are attached matters to new ones alone; filters come and go sooner than links.
    const char* attach = cluster == usual ? "auto" : "clsact";
    crowd.start({"--metrics-listen", metrics_address, "--attach", attach});
    crowd.rest();
    if (cluster == usual || !run.quick())
        measure_files(run, crowd);
    show(run, crowd, "a namespace is relabelled", flip(run, crowd, namespace_relabelled(crowd)));
    if (cluster == usual) {
        measure_new_pod(run, crowd, node);
        measure_stages(run, crowd, "a policy's file", policy_changed(crowd));
        show(run, crowd, "10,000 addresses of a policy replaced, file to packet",
             flip(run, crowd, addresses_replaced(crowd)));
    }
    if (cluster == largest && !run.quick())
        measure_stages(run, crowd, "a namespace's labels", namespace_relabelled(crowd));
    crowd.stop();
}

} // namespace

void measure_policy(Run& run)
{
    run.say("policy: making pods");
    const auto node = make_crowded_node();
    for (const Cluster& cluster : clusters(run)) {
        measure_cluster(run, *node, cluster);
        if (cluster == usual || !run.quick())
            measure_applies(run, *node, cluster);
    }
    measure_rivals(run);
}

} // namespace bench
