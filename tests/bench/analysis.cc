// SPDX-License-Identifier: Apache-2.0
#include "analysis/coverage.h"
#include "analysis/explain.h"
#include "analysis/impact.h"
#include "analysis/suggestion.h"
#include "bench/crowd.h"
#include "bench/groups.h"
#include "policy/compile.h"

#include <chrono>
#include <fmt/format.h>
#include <functional>
#include <stdexcept>

// What questions about policies that are not in force cost, in a large cluster: without the
// kernel, whose tables of connections are read once.
namespace bench {
namespace {

using namespace std::chrono;

constexpr Cluster cluster{.policies = 1'000, .pods = 10'000};
constexpr uint32_t flows = 50'000;
constexpr uint32_t closed_policies = 50; // by the files whose impact is asked for

// One end of each connection is a local pod, the other any: of each namespace in turn, so that
// some are of those that policies let in.
std::vector<ebpfd::Sighting> sightings(const ebpfd::World& world)
{
    std::vector<ebpfd::Sighting> out;
    for (uint32_t flow = 0; flow < flows; ++flow) {
        const uint32_t own = flow % cluster.local_pods();
        const uint32_t peer = (flow * 7919 + flow / cluster.local_pods()) % cluster.pods;
        ebpfd::Sighting sighting;
        sighting.question = {.ifindex = own + 1,
                             .dir = flow % 2 == 0 ? DIRECTION_INGRESS : DIRECTION_EGRESS,
                             .pod = world.pods[own]->addresses.front(),
                             .peer = world.pods[peer]->addresses.front(),
                             .port = static_cast<uint16_t>(flow % 5 == 0 ? 443 : 80)};
        sighting.source_port = static_cast<uint16_t>(flow);
        sighting.open = true;
        sighting.passed = true;
        sighting.seen_ns = flow;
        out.push_back(sighting);
    }
    return out;
}

double milliseconds_of(const std::function<void()>& work)
{
    const auto start = steady_clock::now();
    work();
    return duration<double, std::milli>(steady_clock::now() - start).count();
}

void show(Run& run, const char* what, const std::function<void()>& work)
{
    Samples samples;
    for (int round = 0; round < run.rounds(); ++round)
        samples.add(milliseconds_of(work));
    run.record({.group = "analysis", .name = "questions about policies", .unit = "ms"}, what, {},
               samples);
}

// Some policies let nobody in any more. Another policy could not cut anything: what any of them
// allows, passes.
ebpfd::World with_some_closed(const ebpfd::World& before)
{
    ebpfd::World after = before;
    for (uint32_t number = 0; number < closed_policies; ++number) {
        ebpfd::NetworkPolicy closed = *before.policies[number];
        closed.ingress = std::vector<ebpfd::PolicyRule>{};
        after.policies.edit()[number] = std::make_shared<ebpfd::NetworkPolicy>(closed);
    }
    return after;
}

} // namespace

void measure_analysis(Run& run)
{
    const ebpfd::World before = cluster.world_with_interfaces();
    const ebpfd::World after = with_some_closed(before);
    const auto seen = sightings(before);
    show(run, "compile one world", [&] { must(ebpfd::compile(before)); });
    size_t cut = 0;
    show(run, "policy impact: two worlds compiled, all connections judged by both", [&] {
        const auto one = must(ebpfd::compile(before)), other = must(ebpfd::compile(after));
        const ebpfd::AddressBook book(before);
        cut = ebpfd::compare_rulings(one, other, ebpfd::join(seen, book), book).cut;
    });
    size_t bytes = 0;
    show(run, "policy suggest, without its proof, which is two impacts", [&] {
        const ebpfd::AddressBook book(before);
        bytes = 0;
        for (const auto& one : ebpfd::suggest(ebpfd::join(seen, book), book, {}))
            bytes += ebpfd::yaml_of(one).size();
    });
    size_t rules = 0, peers = 0;
    show(run, "policy coverage, of all pods", [&] { rules = ebpfd::cover(before).rules.size(); });
    show(run, "policy explain, of one pod", [&] {
        const auto explained = must(ebpfd::explain(before, before.pods.front()->key()));
        peers = explained->directions[DIRECTION_EGRESS].decided.size();
    });
    if (cut == 0 || bytes == 0 || rules <= cluster.policies || peers == 0)
        throw std::runtime_error(fmt::format("{} cut, {} bytes suggested, {} rules, {} peers: a "
                                             "question was not answered",
                                             cut, bytes, rules, peers));
}

} // namespace bench
