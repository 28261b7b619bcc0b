// SPDX-License-Identifier: Apache-2.0
#include "bench/crowd.h"
#include "bench/groups.h"
#include "bench/policy.h"
#include "lab/process.h"
#include "lab/socket.h"

#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

// What an agent takes that only runs, in clusters of four sizes: memory, time to start, CPU.
namespace bench {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

constexpr double mb = 1e6;
constexpr uint32_t idle_pods = 100;     // with flows between them
constexpr uint16_t flows_of_a_pod = 5;  // each is a flow at either end
constexpr uint16_t first_flow_port = 9; // which policies leave open between local pods
constexpr auto all_looks = 30s;         // the agent has looked at everything once

Measurement about(const char* name, const char* unit)
{
    return {.group = "footprint", .name = name, .unit = unit, .size_name = "pods"};
}

void show(Run& run, const Crowd& crowd, const Measurement& what, const char* variant,
          Samples samples)
{
    run.record(what, variant, crowd.cluster().pods, std::move(samples));
}

// Resident memory by what it is for, in MB.
struct Memory {
    double all = 0;
    double heap = 0;   // and stacks, and whatever else is the process's own
    double tables = 0; // rings and other maps that are mapped
    double code() const { return all - heap - tables; }
};

Memory memory_of(pid_t pid)
{
    Memory memory;
    std::ifstream smaps(fmt::format("/proc/{}/smaps", pid));
    bool is_table = false;
    for (std::string line; std::getline(smaps, line);) {
        std::istringstream words(line);
        std::string key;
        double kib = 0;
        if (!(words >> key >> kib) || !key.ends_with(':')) {
            is_table = line.find("bpf-map") != std::string::npos;
            continue;
        }
        if (key == "Rss:")
            (is_table ? memory.tables : memory.all) += kib * 1024 / mb;
        if (key == "Anonymous:" && !is_table)
            memory.heap += kib * 1024 / mb;
    }
    memory.all += memory.tables;
    return memory;
}

void show_memory(Run& run, const Crowd& crowd, const char* name, const Memory& memory)
{
    const auto what = about(name, "MB");
    show(run, crowd, what, "all that is resident", Samples({memory.all}));
    show(run, crowd, what, "heap", Samples({memory.heap}));
    show(run, crowd, what, "rings and mapped tables", Samples({memory.tables}));
    show(run, crowd, what, "program and libraries", Samples({memory.code()}));
}

void show_tables(Run& run, const Crowd& crowd)
{
    double all = 0, policy = 0;
    for (const ebpfd::MapSummary& map : must(crowd.maps().summaries())) {
        all += static_cast<double>(map.bytes) / mb;
        for (const char* name : {"endpoint_map", "podname_map", "address_map", "service_map",
                                 "ruleset_map", "peer_map", "cidr_map", "port_map", "rule_map"})
            if (map.name == name)
                policy += static_cast<double>(map.bytes) / mb;
    }
    const auto what = about("memory of maps", "MB");
    show(run, crowd, what, "all of them", Samples({all}));
    show(run, crowd, what, "policy", Samples({policy}));
}

// Whether policy lets the one in and keeps the other out, which no half of it would.
bool enforces(const Crowd& crowd)
{
    const Cluster& cluster = crowd.cluster();
    const auto front = cluster.pod(cluster.pod_of(0, 2)), back = cluster.pod(cluster.pod_of(0, 3));
    return crowd.lets_in(front.addresses.front()) == true &&
           crowd.lets_in(back.addresses.front()) == false;
}

struct Start {
    double loaded = 0; // ms until maps and programs are there
    double enforcing = 0;
    std::map<std::string, double> stages; // ms
};

Start start_once(Crowd& crowd, const lab::Argv& options)
{
    const auto begin = steady_clock::now();
    crowd.launch(options);
    Start start;
    start.loaded = wait_until(begin, [&] { return crowd.is_loaded(); });
    start.enforcing = wait_until(begin, [&] { return enforces(crowd); });
    crowd.settle();
    for (const auto& [stage, seconds] : read_stages(crowd.node()).seconds)
        start.stages[stage] = 1e3 * seconds;
    return start;
}

// From the start of a process where nothing is loaded to policy in force.
void measure_starts(Run& run, Crowd& crowd, const lab::Argv& options)
{
    Samples enforcing;
    std::map<std::string, Samples> parts;
    for (int round = 0; round < run.rounds(); ++round) {
        if (round > 0)
            crowd.stop();
        const Start start = start_once(crowd, options);
        enforcing.add(start.enforcing);
        double rest = start.enforcing - start.loaded;
        parts["programs and maps loaded"].add(start.loaded);
        for (const auto& [stage, ms] : start.stages) {
            parts[stage].add(ms);
            rest -= ms;
        }
        parts["the rest, such as files"].add(rest);
    }
    show(run, crowd, about("start to enforcing", "ms"), "nothing was loaded", enforcing);
    for (const auto& [part, samples] : parts)
        show(run, crowd, about("start to enforcing, by stage", "ms"), part.c_str(), samples);
}

// The same where an earlier agent left a datapath, which enforces what it knew until a policy that
// has changed meanwhile is in force.
void measure_restarts(Run& run, Crowd& crowd, const lab::Argv& options)
{
    const Cluster& cluster = crowd.cluster();
    const auto front = cluster.pod(cluster.pod_of(0, 2)).addresses.front();
    Samples samples;
    for (int round = 0; round < run.rounds(); ++round) {
        const bool open = round % 2 != 0;
        crowd.agent().stop();
        system_test::replace_file(
            crowd.agent().policies() / "policy-0.yaml",
            cluster.policy(0, open ? Cluster::open_port : Cluster::open_port + 1));
        const auto begin = steady_clock::now();
        crowd.launch(options);
        samples.add(wait_until(begin, [&] { return crowd.lets_in(front) == open; }));
        crowd.settle();
    }
    show(run, crowd, about("start to enforcing", "ms"), "a datapath was adopted", samples);
}

std::vector<lab::Connection> open_flows(const Crowd& crowd)
{
    std::vector<lab::Connection> flows;
    const uint32_t pods = std::min(idle_pods, crowd.cluster().local_pods());
    for (uint32_t pod = 0; pod < pods; ++pod)
        for (uint16_t i = 0; i < flows_of_a_pod; ++i) {
            const auto& from = crowd.node().pod(fmt::format("pod{}", (pod + 1) % pods));
            const auto& to = crowd.node().pod(fmt::format("pod{}", pod));
            auto flow = lab::open_connection(from, to, lab::Family::v4, lab::Transport::udp,
                                             static_cast<uint16_t>(first_flow_port + i));
            if (!flow)
                throw std::runtime_error("a flow did not open");
            flows.push_back(std::move(*flow));
        }
    return flows;
}

void measure_idle(Run& run, const Crowd& crowd)
{
    const auto flows = open_flows(crowd);
    crowd.wait_for_links();
    std::this_thread::sleep_for(all_looks); // new interfaces are looked at more often
    crowd.rest();
    const pid_t agent = crowd.agent().process().pid();
    const double before = cpu_seconds(agent);
    std::this_thread::sleep_for(all_looks);
    const double busy = cpu_seconds(agent) - before;
    if (must(crowd.maps().flows(true)).size() < 2 * flows.size())
        throw std::runtime_error("flows have gone");
    show(run, crowd, about("CPU while idle", "% of a core"),
         fmt::format("{} flows", 2 * flows.size()).c_str(),
         Samples({100 * busy / duration<double>(all_looks).count()}));
    show_memory(run, crowd, "resident memory", memory_of(agent));
}

void measure_size(Run& run, const lab::Node& node, const Cluster& cluster)
{
    run.say(fmt::format("footprint: {} policies, {} pods", cluster.policies, cluster.pods));
    Crowd crowd(node, cluster);
    const lab::Argv options{"--metrics-listen", metrics_address};
    measure_starts(run, crowd, options);
    measure_restarts(run, crowd, options);
    show_memory(run, crowd, "resident memory, right after the start",
                memory_of(crowd.agent().process().pid()));
    show_tables(run, crowd);
    measure_idle(run, crowd);
    crowd.stop();
}

} // namespace

void measure_footprint(Run& run)
{
    run.say("footprint: making pods");
    const auto node = make_crowded_node();
    std::vector<Cluster> sizes{{10, 100}, {100, 1'000}, {1'000, 10'000}, {10'000, 100'000}};
    if (run.quick())
        sizes = {{1'000, 10'000}};
    for (const Cluster& cluster : sizes)
        measure_size(run, *node, cluster);
}

} // namespace bench
