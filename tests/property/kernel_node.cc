// SPDX-License-Identifier: Apache-2.0
#include "property/kernel_node.h"

#include "base/fd.h"
#include "kernel/flow_table.h"
#include "property/frame.h"
#include "property/vocabulary.h"

#include <bpf/bpf.h>
#include <cstdlib>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdexcept>
#include <unistd.h>

using namespace ebpfd;

namespace property {

template <class T> static T must(Result<T> result, std::string_view what)
{
    if (!result)
        throw std::runtime_error(fmt::format("{}: {}", what, result.error().message));
    return std::move(*result);
}

static void make_interfaces()
{
    if (unshare(CLONE_NEWNET) != 0)
        throw std::runtime_error("a network namespace needs root");
    for (uint32_t ifindex = first_ifindex; ifindex <= last_ifindex; ++ifindex) {
        const std::string command =
            fmt::format("ip link add veth{0} index {0} type veth peer name far{0}", ifindex);
        if (std::system(command.c_str()) != 0)
            throw std::runtime_error(command);
    }
}

// Small tables: worlds are small, and loading preallocates.
static Capacities small_tables()
{
    return {.flows = 256,
            .fragments = 64,
            .endpoints = 8,
            .addresses = 256,
            .services = 64,
            .rulesets = 128,
            .peers = 4096,
            .cidrs = 4096,
            .ports = 4096,
            .rules = 1024,
            .refusal_ring = 1 << 16,
            .flow_ring = 1 << 16};
}

KernelNode::KernelNode()
{
    make_interfaces();
    options_.bpffs = fmt::format("/sys/fs/bpf/property-test-{}", getpid());
    options_.capacities = small_tables();
    options_.attach = AttachMode::clsact;
    (void)Datapath::detach(options_.bpffs); // of an earlier process with this number
    restart();
}

void KernelNode::restart()
{
    maps_.reset();
    datapath_.reset();
    datapath_ = must(Datapath::open(options_), "open the datapath");
    maps_ = must(PinnedMaps::open(options_.bpffs), "open pinned maps");
}

KernelNode::~KernelNode()
{
    maps_.reset();
    datapath_.reset();
    (void)Datapath::detach(options_.bpffs);
}

void KernelNode::enforce(const Plan& plan)
{
    must(datapath_->apply(plan), "apply");
    rules_ = must(maps_->rules(), "read rules");
    endpoint_rows_.clear();
    for (const auto& [ifindex, endpoint] : must(maps_->endpoints(), "read endpoints"))
        endpoint_rows_[ifindex] = endpoint.index;
}

std::string KernelNode::name_of(uint32_t rule) const
{
    const auto found = rules_.find(rule);
    if (rule == 0 || found == rules_.end())
        return rule == 0 ? "" : fmt::format("unknown rule {}", rule);
    const rule_info& info = found->second;
    return rule_name(info.kind, info.direction, info.policy_namespace, info.policy, info.index);
}

Verdict KernelNode::named(bool allow, reason why, uint32_t rule) const
{
    const auto found = rules_.find(rule);
    if (found != rules_.end() && found->second.kind == RULE_SELF)
        return {.allow = allow, .why = REASON_SELF, .rule = {}};
    return {.allow = allow, .why = why, .rule = name_of(rule)};
}

Verdict KernelNode::turned(bool allow, reason why, uint32_t rule, uint32_t enforced_rule) const
{
    return {.allow = allow,
            .why = why,
            .rule = name_of(rule),
            .turned = true,
            .enforced_rule = name_of(enforced_rule)};
}

Verdict KernelNode::traced(const reference::Packet& packet) const
{
    const TraceAnswer answer = must(maps_->trace({.ifindex = packet.ifindex,
                                                  .dir = packet.dir,
                                                  .source = packet.source,
                                                  .destination = packet.destination,
                                                  .protocol = packet.protocol,
                                                  .port = packet.destination_port}),
                                    "trace");
    const bool allow = !is_refused(answer.outcome);
    return answer.outcome >= VERDICT_WOULD_DENY
               ? turned(allow, answer.why, answer.rule, answer.enforced_rule)
               : named(allow, answer.why, answer.rule);
}

// So that every packet opens a connection, whatever came before it.
void KernelNode::forget_flows() const
{
    const auto table = must(FlowTable::open_pinned(options_.bpffs + "/maps"), "flow table");
    const auto freed = table.free_if([](flow_class, const flow_key&, const flow&) { return true; },
                                     [](const flow_key&, const flow&) {});
    if (!freed)
        throw std::runtime_error(freed.error().message);
}

KernelNode::Counts KernelNode::counts(uint32_t ifindex) const
{
    Counts counts;
    counts.reasons = must(maps_->counters(endpoint_rows_.at(ifindex)), "read counters");
    for (const auto& [rule, info] : rules_) {
        const rule_hits hits = must(maps_->hits(rule), "read hits");
        counts.rules[rule] = {hits.allowed, hits.denied};
    }
    return counts;
}

bool KernelNode::run(const reference::Packet& packet) const
{
    const bool ingress = packet.dir == DIRECTION_INGRESS;
    const Fd program(bpf_obj_get(
        fmt::format("{}/progs/{}", options_.bpffs, ingress ? "to_pod" : "from_pod").c_str()));
    const std::vector<uint8_t> data = frame(packet);
    __sk_buff context{};
    context.ifindex = packet.ifindex;
    context.ingress_ifindex = ingress ? 0 : packet.ifindex;
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = data.data(),
                .data_size_in = static_cast<uint32_t>(data.size()), .ctx_in = &context,
                .ctx_size_in = sizeof(context));
    if (const int error = bpf_prog_test_run_opts(program.get(), &options); error != 0)
        throw std::runtime_error(fmt::format("test run: error {}", error));
    return options.retval != TC_ACT_SHOT;
}

Verdict KernelNode::passed(const reference::Packet& packet)
{
    forget_flows();
    const Counts before = counts(packet.ifindex);
    const bool allow = run(packet);
    const Counts after = counts(packet.ifindex);
    uint32_t in_force = 0;
    uint32_t watcher = 0;
    for (const auto& [rule, hits] : after.rules)
        if (hits != before.rules.at(rule))
            (rules_.at(rule).dry_run != 0 ? watcher : in_force) = rule;
    for (uint32_t why = 0; why < REASON_COUNT; ++why)
        for (const uint32_t would : {0U, 1U}) {
            const uint32_t row = counter_row(static_cast<uint32_t>(packet.dir), why, would);
            if (after.reasons.row[row].packets != before.reasons.row[row].packets + 1)
                continue;
            return would != 0 ? turned(allow, static_cast<reason>(why), watcher, in_force)
                              : named(allow, static_cast<reason>(why), in_force);
        }
    throw std::runtime_error("the packet was not counted");
}

} // namespace property
