// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/goals.h"

#include <algorithm>

namespace bench {
namespace {

using Value = std::optional<double>;
using From = std::function<Value(const Results&)>;

struct Place {
    std::string name;
    std::string variant;
    std::optional<double> size{};
};

const Samples* samples_at(const Results& results, const char* group, const Place& place)
{
    const Measured* measured = results.find(group, place.name);
    const Figure* figure = measured ? measured->find(place.variant, place.size) : nullptr;
    return figure ? &figure->samples : nullptr;
}

From quantile(const char* group, const Place& place, double at, double divisor = 1)
{
    return [=](const Results& results) -> Value {
        const Samples* samples = samples_at(results, group, place);
        return samples ? Value(samples->at(at) / divisor) : Value{};
    };
}

From packet(const Place& place)
{
    return quantile("packet", place, 0.5);
}

From ratio_in(const char* group, const Place& place, const Place& base)
{
    return [=](const Results& results) -> Value {
        const Samples* samples = samples_at(results, group, place);
        const Samples* other = samples_at(results, group, base);
        return samples && other ? Value(ratio(*samples, *other)) : Value{};
    };
}

// More in a packet's way against the least of it.
From growth(const char* variant)
{
    const auto rules = ratio_in("packet", {"by rules", variant, 500}, {"by rules", variant, 1});
    const auto blocks = ratio_in("packet", {"by CIDRs", variant, 10'000}, {"by CIDRs", variant, 0});
    return [=](const Results& results) -> Value {
        const Value one = rules(results), other = blocks(results);
        return one && other ? std::max(one, other) : Value{};
    };
}

// What judging costs more with dry-run rules: what differs in a first packet's cost, without the
// entry that it makes, whose cost varies more than this.
Value dry_run(const Results& results)
{
    const char* name = "by dry-run rules";
    const Samples* without = samples_at(results, "packet", {name, "judged, allowed", 0});
    const Samples* with = samples_at(results, "packet", {name, "judged, allowed", 100});
    return with && without ? Value(with->median() - without->median()) : Value{};
}

From pods(const char* name, const char* base)
{
    return ratio_in("pods", {name, "ebpfd", 1'000}, {name, base, 1'000});
}

// The node that policy goals speak of: 1,000 policies, 10,000 pods, 250 of them local.
From policy(const char* name, double at, double divisor = 1)
{
    return quantile("policy", {name, "1000 policies", 10'000}, at, divisor);
}

// Whichever of its two halves comes last.
Value new_pod(const Results& results)
{
    const Value one = policy("a local pod's interface comes, its entry is there", 0.99)(results);
    const Value other = policy("a local pod's entry comes, its interface is there", 0.99)(results);
    return one && other ? Value(std::max(*one, *other)) : Value{};
}

// Of the same node.
From footprint(const char* name, const char* variant)
{
    return quantile("footprint", {name, variant, 10'000}, 0.5);
}

constexpr auto nothing = "no policy";

std::vector<Goal> make_goals()
{
    return {
        {"packet", "established packet over an empty program, IPv4", "ns", 15, false,
         packet({"by rules", "established", 1}),
         "The headers are read, hashed, a bucket of tags and one cache line of the entry "
         "compared, a second one counts. The generation that a packet carries from pod to pod, "
         "and functions that are verified once, are 1 ns of it (in turns with the datapath "
         "before them)."},
        {"packet", "the same, IPv6", "ns", 15, false, packet({"by rules", "established, IPv6", 1}),
         "As IPv4; longer addresses are copied and hashed."},
        {"packet", "established, at random among 100,000 flows", "ns", 139, false,
         packet({"by open flows", "flows at random", 100'000}),
         "Memory: a bucket of tags and two cache lines of the entry are in no cache; one flow, "
         "hot, shows what is no memory."},
        {"packet", "established, 500 rules or 10,000 CIDRs against the least", "", 1.05, false,
         growth("established")},
        {"packet", "first packet, 500 rules or 10,000 CIDRs against the least", "", 1.15, false,
         growth("first, flow made")},
        {"packet", "first packet allowed, 500 rules, flow made and told", "ns", 400, false,
         packet({"observed", "first, flow made", 1}),
         "Judging alone is what \"judged, allowed\" shows. The rest is memory that is in no "
         "cache: two buckets of tags, the entry, the ring."},
        {"packet", "first packet, 100 dry-run rules more", "ns", 10, false, dry_run},
        {"packet", "refused packet, told once a second", "ns", 45, false,
         packet({"by rules", "refused, told once a second", 1})},
        {"pods", "refused by the sender's policy, its cost against no policy", "", 0.7, false,
         pods("refused by the sender's policy", nothing)},
        {"pods", "ping-pong p50 against an empty tc program", "", 1.02, false,
         pods("ping-pong, p50", "empty tc program")},
        {"pods", "connect/close rate against no policy", "", 0.97, true,
         pods("connect and close", nothing),
         "By perf, a connection that is opened and reset takes 2 us in the eight runs of the "
         "programs at both ends, of 24 us: 0.7 in from_pod and to_pod themselves, 0.4 for the "
         "six records that it tells, 0.2 to make two entries, the rest to judge, count and "
         "find room; the empty tc program shows the cost of being there. The agent takes 1 % "
         "of a core for 13,000 connections a second."},
        {"pods", "connect p50 against no policy", "", 1.10, false, pods("connect, p50", nothing),
         "As the rate: six of the eight runs lie between SYN and the answer's ACK."},
        {"pods", "a new UDP flow against no policy", "", 1.12, false, pods("new UDP flow", nothing),
         "Two first packets, one at either end: see the first packet."},
        {"policy", "one rule changed: plan ready to packet judged, p99", "us", 50, false,
         policy("one rule changed, plan ready to packet judged", 0.99),
         "By perf, 75 us are system calls that write some 70 rows, in batches; the rest is "
         "mostly the copy of 250 endpoints."},
        {"policy", "10,000 addresses of a policy replaced: plan ready to packet judged", "ms", 5,
         false,
         policy("10,000 addresses of a policy replaced, plan ready to packet judged", 0.5, 1000),
         "By perf, 60 % are insertions into the kernel's LPM trie, 0.9 us each."},
        {"policy", "file to packet, 1,000 policies, 10,000 pods, 250 local, p50", "ms", 1, false,
         policy("a policy's file to packet", 0.5),
         "See the stages of a policy's file. To compile it takes 0.18 ms when it is done again "
         "and again, and the rest of what the table says once in a tenth of a second, when "
         "little of it is in the CPU's caches any more; so does parsing."},
        {"policy", "the same, p99", "ms", 5, false, policy("a policy's file to packet", 0.99)},
        {"policy", "new pod in force once its interface and entry are there, p99", "ms", 2, false,
         new_pod,
         "See the stages of a local pod's entry: to gather is to find every local pod's "
         "interface anew, to attach is a qdisc and two filters under the kernel's network lock."},
        {"policy", "namespace relabelled, 10,000 policies, 100,000 pods, p50", "ms", 100, false,
         quantile("policy", {"a namespace is relabelled", "10000 policies", 100'000}, 0.5)},
        {"events", "agent CPU an event at 1,000,000/s, nobody watching", "us", 0.2, false,
         quantile("events", {"agent CPU an event, overloaded", "1,000,000 events/s offered", 0},
                  0.5, 1000)},
        {"events", "refusals lost at 1,000,000 events/s", "events", 0, false,
         quantile("events", {"refusals lost", "1,000,000 events/s offered", 0}, 0.5)},
        {"footprint", "resident memory, 250 pods, 1,000 policies, 10,000 remote pods", "MB", 20,
         false, footprint("resident memory", "all that is resident"),
         "10 MB are the rings, which the kernel maps twice, and 13 the program and its "
         "libraries, so that no heap would do. Of the heap, by heaptrack, 22 MB are in use: "
         "4.7 are pods, 1.9 their labels, 1.4 rules as the kernel has them, 1.3 names by "
         "address, no other above 1 MB; the rest is room that glibc keeps between them."},
        {"footprint", "start to enforcing", "ms", 100, false,
         footprint("start to enforcing", "nothing was loaded"),
         "By perf, three quarters of loading is the kernel's verifier: 61,000 steps for each "
         "of the two programs that judge, 31,000 for the one that answers questions. Files are "
         "read and parsed meanwhile, on the other core; compiling, writing and attaching come "
         "after both."},
        {"footprint", "CPU while idle, 1,000 flows", "% of a core", 0.1, false,
         footprint("CPU while idle", "1000 flows")},
    };
}

} // namespace

bool Judgement::reached() const
{
    return figure && (goal->at_least ? *figure >= goal->limit : *figure <= goal->limit);
}

const std::vector<Goal>& goals()
{
    static const auto all = make_goals();
    return all;
}

std::vector<Judgement> judge(const Results& results, const std::vector<Goal>& by)
{
    std::vector<Judgement> out;
    for (const Goal& goal : by) {
        const bool measured = std::ranges::any_of(
            results.all(), [&](const Measured& one) { return one.what.group == goal.group; });
        out.push_back({&goal, goal.figure(results), measured});
    }
    return out;
}

} // namespace bench
