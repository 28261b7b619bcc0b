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

constexpr uint32_t pods = 10'000;
constexpr uint32_t local_pods = 250;
constexpr uint32_t policies = 1'000;
constexpr uint32_t namespaces = 50;
constexpr uint32_t workloads_of_namespace = 20;
constexpr uint32_t flows = 50'000;

std::string space(uint32_t number)
{
    return fmt::format("space-{}", number % namespaces);
}

std::string app(uint32_t number)
{
    return fmt::format("app-{}", number / namespaces % workloads_of_namespace);
}

ebpfd::IpAddress address(uint32_t pod)
{
    return *ebpfd::IpAddress::parse(
        fmt::format("10.{}.{}.{}", pod >> 16, pod >> 8 & 255, pod & 255));
}

ebpfd::Selector selects(const std::string& key, const std::string& value)
{
    return {{{key, ebpfd::Requirement::Operator::in, {value}}}};
}

ebpfd::NetworkPolicy policy(uint32_t number)
{
    ebpfd::NetworkPolicy out;
    out.policy_namespace = space(number);
    out.name = fmt::format("policy-{}", number);
    out.pod_selector = selects("app", app(number));
    ebpfd::PolicyRule rule;
    rule.peers = {{.block = {},
                   .namespaces = selects("kubernetes.io/metadata.name", space(number + 1)),
                   .pods = selects("tier", number % 2 == 0 ? "front" : "back")}};
    rule.ports = {{ebpfd::Protocol::tcp, ebpfd::PortRange{80, 80}},
                  {ebpfd::Protocol::tcp, ebpfd::PortRange{8000, 8999}}};
    out.ingress = {rule, rule};
    out.ingress->back().peers = {
        {.block =
             ebpfd::IpBlock{*ebpfd::Cidr::parse(fmt::format("192.0.{}.0/24", number % 250)), {}},
         .namespaces = {},
         .pods = {}}};
    return out;
}

ebpfd::World world()
{
    ebpfd::World out;
    for (uint32_t number = 0; number < pods; ++number) {
        auto pod = std::make_shared<ebpfd::Pod>();
        pod->pod_namespace = space(number);
        pod->name = fmt::format("pod-{}", number);
        pod->labels = {{"app", app(number)},
                       {"pod-template-hash", fmt::format("{}", number % 7)},
                       {"tier", number % 3 == 0 ? "front" : "back"}};
        pod->addresses = {address(number)};
        if (number < local_pods)
            out.interfaces.push_back({number + 1, fmt::format("veth{}", number), pod});
        out.pods.push_back(std::move(pod));
    }
    for (uint32_t number = 0; number < namespaces; ++number)
        out.namespaces.push_back(std::make_shared<ebpfd::Namespace>(
            space(number), ebpfd::Labels{{"kubernetes.io/metadata.name", space(number)}}));
    for (uint32_t number = 0; number < policies; ++number)
        out.policies.push_back(std::make_shared<ebpfd::NetworkPolicy>(policy(number)));
    return out;
}

// One end of each connection is a local pod, the other any: of each namespace in turn, so that
// some are of those that policies let in.
std::vector<ebpfd::Sighting> sightings()
{
    std::vector<ebpfd::Sighting> out;
    for (uint32_t flow = 0; flow < flows; ++flow) {
        const uint32_t own = flow % local_pods;
        ebpfd::Sighting sighting;
        sighting.question = {.ifindex = own + 1,
                             .dir = flow % 2 == 0 ? DIRECTION_INGRESS : DIRECTION_EGRESS,
                             .pod = address(own),
                             .peer = address((flow * 7919 + flow / local_pods) % pods),
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

// One policy of each namespace lets nobody in any more. Another policy could not cut anything:
// what any of them allows, passes.
ebpfd::World with_some_closed(const ebpfd::World& before)
{
    ebpfd::World after = before;
    for (uint32_t number = 0; number < namespaces; ++number) {
        ebpfd::NetworkPolicy closed = *before.policies[number];
        closed.ingress = std::vector<ebpfd::PolicyRule>{};
        after.policies[number] = std::make_shared<ebpfd::NetworkPolicy>(closed);
    }
    return after;
}

} // namespace

void measure_analysis(Run& run)
{
    const ebpfd::World before = world();
    const ebpfd::World after = with_some_closed(before);
    const auto seen = sightings();
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
    if (cut == 0 || bytes == 0 || rules <= policies || peers == 0)
        throw std::runtime_error(fmt::format("{} cut, {} bytes suggested, {} rules, {} peers: a "
                                             "question was not answered",
                                             cut, bytes, rules, peers));
}

} // namespace bench
