// SPDX-License-Identifier: Apache-2.0
#include "datapath/bench.h"

#include "base/fd.h"
#include "kernel/flow_table.h"
#include "kernel/map.h"
#include "model/names.h"
#include "policy/cluster_policy.h"
#include "policy/compile.h"
#include "policy/network_policy.h"
#include "source/parse.h"

#include <bpf/bpf.h>
#include <cstdlib>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <stdexcept>
#include <unistd.h>

namespace bench {
namespace {

using namespace ebpfd;

template <class T, class E> T must(std::expected<T, E> result, const char* what)
{
    if constexpr (std::is_void_v<T>) {
        if (result)
            return;
    } else if (result) {
        return std::move(*result);
    }
    if constexpr (requires { result.error().message; })
        throw std::runtime_error(fmt::format("{}: {}", what, result.error().message));
    throw std::runtime_error(what);
}

// Once for this process: a network namespace of its own with an interface for each local pod.
void enter_node()
{
    static const bool done = [] {
        if (unshare(CLONE_NEWNET))
            throw std::runtime_error("a network namespace needs root");
        return std::system("ip link add web0 type veth peer name web1 && "
                           "ip link add db0 type veth peer name db1") == 0;
    }();
    if (!done)
        throw std::runtime_error("ip link add failed");
}

std::shared_ptr<const Pod> make_pod(std::string pod_namespace, std::string name,
                                    std::vector<std::string_view> addresses,
                                    const std::set<std::string>& friends)
{
    Pod pod;
    pod.pod_namespace = std::move(pod_namespace);
    pod.name = std::move(name);
    pod.labels = {{"app", pod.name}};
    if (friends.contains(pod.name))
        pod.labels.emplace("friend", "");
    for (auto text : addresses)
        pod.addresses.push_back(IpAddress::parse(text).value());
    pod.ports = {{"http", Protocol::tcp, 80}};
    return std::make_shared<const Pod>(std::move(pod));
}

World make_world(uint32_t web, uint32_t db, const std::set<std::string>& friends)
{
    World world;
    world.pods = {make_pod("shop", "web", {lab::web_v4, lab::web_v6}, friends),
                  make_pod("shop", "db", {lab::db_v4, lab::db_v6}, friends),
                  make_pod("ops", "api", {lab::api_v4, lab::api_v6}, friends),
                  make_pod("ops", "scan", {lab::scan_v4, lab::scan_v6}, friends)};
    world.node_addresses = {IpAddress::parse(lab::node_v4).value(),
                            IpAddress::parse(lab::node_v6).value()};
    world.interfaces = {{web, "web0", world.pods[0]}, {db, "db0", world.pods[1]}};
    return world;
}

template <class Policy>
void add(SharedList<std::shared_ptr<const Policy>>& all,
         std::expected<Policy, std::vector<FileError>> policy)
{
    if (!policy)
        throw std::runtime_error(policy.error().front().text());
    all.push_back(std::make_shared<const Policy>(std::move(*policy)));
}

} // namespace

std::ostream& operator<<(std::ostream& out, const Judged& judged)
{
    return out << verdict_name(judged.outcome) << " (" << reason_name(judged.why) << ")";
}

Bench::Bench()
{
    static int count = 0;
    bpffs_ = fmt::format("/sys/fs/bpf/datapath-test-{}-{}", getpid(), count++);
    enter_node();
    web_ = if_nametoindex("web0");
    db_ = if_nametoindex("db0");
    reload(options());
}

Bench::~Bench()
{
    maps_.reset();
    datapath_.reset();
    (void)Datapath::detach(bpffs_);
}

DatapathOptions Bench::options() const
{
    DatapathOptions options;
    options.bpffs = bpffs_;
    options.capacities = {.flows = 1024,
                          .fragments = 64,
                          .endpoints = 8,
                          .addresses = 1024,
                          .services = 64,
                          .rulesets = 64,
                          .peers = 1024,
                          .cidrs = 1024,
                          .ports = 1024,
                          .rules = 256,
                          .refusal_ring = 1 << 16,
                          .flow_ring = 1 << 16};
    return options;
}

void Bench::reload(const DatapathOptions& options)
{
    maps_.reset();
    datapath_.reset();
    (void)Datapath::detach(bpffs_);
    datapath_ = must(Datapath::open(options), "open");
    maps_ = must(PinnedMaps::open(bpffs_), "pinned maps");
}

World Bench::world_of(const std::string& policies, const std::set<std::string>& friends) const
{
    World world = make_world(web_, db_, friends);
    auto documents = parse_documents(policies, "test.yaml");
    if (!documents)
        throw std::runtime_error(documents.error().text());
    for (const Document& document : *documents) {
        if (is_cluster_policy_kind(document.api_version, document.kind))
            add(world.cluster_policies, decode_cluster_policy(document));
        else
            add(world.policies, decode_network_policy(document));
    }
    return world;
}

Plan Bench::plan_of(const std::string& policies, const std::set<std::string>& friends) const
{
    return must(compile(world_of(policies, friends)), "compile");
}

void Bench::enforce(const std::string& policies)
{
    world_ = world_of(policies);
    must(datapath_->apply(must(compile(world_), "compile")), "apply");
}

endpoint_counters Bench::counters()
{
    for (const auto& [ifindex, value] : must(maps_->endpoints(), "endpoints"))
        if (ifindex == web_)
            return must(maps_->counters(value.index), "counters");
    throw std::runtime_error("no endpoint for web0");
}

Hook::Hook(const std::string& bpffs, const char* program, uint32_t ifindex)
    : program_(bpf_obj_get(fmt::format("{}/progs/{}", bpffs, program).c_str())), ifindex_(ifindex)
{
}

bool Hook::passes(const lab::Bytes& frame, uint32_t ingress_ifindex) const
{
    __sk_buff context{};
    context.ifindex = ifindex_;
    context.ingress_ifindex = ingress_ifindex;
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
                .data_size_in = static_cast<__u32>(frame.size()), .ctx_in = &context,
                .ctx_size_in = sizeof(context));
    if (const int error = bpf_prog_test_run_opts(program_.get(), &run))
        throw std::runtime_error(fmt::format("test run: error {}", error));
    return run.retval != TC_ACT_SHOT;
}

bool Bench::passes_to_web(const lab::Packet& packet) const
{
    return hook("to_pod", web_).passes(packet.bytes());
}

Judged Bench::run(const char* program, direction dir, const lab::Bytes& frame,
                  uint32_t ingress_ifindex)
{
    const auto before = counters();
    const bool dropped = !hook(program, web_).passes(frame, ingress_ifindex);
    const auto after = counters();
    for (uint32_t why = 0; why < REASON_COUNT; why++)
        for (const uint32_t would : {0U, 1U}) {
            const uint32_t row = counter_row(dir, why, would);
            if (after.row[row].packets == before.row[row].packets)
                continue;
            const bool denies = why >= REASON_FIRST_DENIAL;
            EXPECT_EQ(dropped, denies != (would != 0));
            EXPECT_EQ(after.row[row].bytes - before.row[row].bytes, frame.size());
            const verdict plain = denies ? VERDICT_DENY : VERDICT_ALLOW;
            const verdict turned = denies ? VERDICT_WOULD_DENY : VERDICT_WOULD_ALLOW;
            return {would != 0 ? turned : plain, static_cast<reason>(why)};
        }
    throw std::runtime_error("the packet was not counted");
}

void Bench::flood_web(const std::vector<lab::Bytes>& frames) const
{
    const Hook to_web = hook("to_pod", web_);
    for (const auto& frame : frames)
        (void)to_web.passes(frame);
}

Judged Bench::from_web(const lab::Bytes& frame)
{
    return run("from_pod", DIRECTION_EGRESS, frame, web_);
}

Judged Bench::to_web(const lab::Bytes& frame, uint32_t ingress_ifindex)
{
    return run("to_pod", DIRECTION_INGRESS, frame, ingress_ifindex);
}

Judged Bench::from_web(const lab::Packet& packet)
{
    return from_web(packet.bytes());
}

Judged Bench::to_web(const lab::Packet& packet, uint32_t ingress_ifindex)
{
    return to_web(packet.bytes(), ingress_ifindex);
}

std::vector<event> Bench::events()
{
    std::vector<event> all;
    must(datapath_->drain(std::chrono::milliseconds(0),
                          [&](ring, const event& record) { all.push_back(record); }),
         "drain");
    return all;
}

ledger Bench::losses()
{
    return must(maps_->losses(), "losses");
}

ring_ledger Bench::losses_of(ring which)
{
    const auto all = losses();
    return ring_sum(&all, which);
}

std::vector<std::pair<flow_key, flow>> Bench::flows()
{
    return must(maps_->flows(false), "flows");
}

void Bench::forget_unanswered() const
{
    const auto table = must(FlowTable::open_pinned(bpffs_ + "/maps"), "flow table");
    const auto freed = table.free_if(
        [](flow_class kind, const flow_key&, const flow& value) {
            return kind == FLOW_ENTRY_REFUSED || is_pending(&value);
        },
        [](const flow_key&, const flow&) {});
    if (!freed)
        throw std::runtime_error(freed.error().message);
}

void Bench::forget_all() const
{
    const std::string maps = bpffs_ + "/maps";
    must(must(FlowTable::open_pinned(maps), "flow table")
             .free_if([](flow_class, const flow_key&, const flow&) { return true; },
                      [](const flow_key&, const flow&) {}),
         "forget flows");
    const RawMap fragments = must(RawMap::open_pinned(maps, "fragment_map"), "fragments");
    std::vector<char> all;
    uint32_t count = 0;
    must(fragments.read([&](const void* keys, const void*, uint32_t more) {
        const auto* first = static_cast<const char*>(keys);
        all.insert(all.end(), first, first + size_t{more} * fragments.key_size());
        count += more;
    }),
         "read fragments");
    must(fragments.erase_batch(all.data(), count), "forget fragments");
}

void Bench::age_flows(std::chrono::nanoseconds time)
{
    const auto table =
        must(Map<uint32_t, flow_entry>::open_pinned(bpffs_ + "/maps", "flow_map"), "flow table");
    for (auto [number, entry] : must(table.entries(), "flows")) {
        entry.flow.seen_ns -= static_cast<uint64_t>(time.count());
        entry.flow.reported_ns -= static_cast<uint64_t>(time.count());
        if (const auto aged = table.update(number, entry); !aged)
            throw std::runtime_error(aged.error().message);
    }
}

} // namespace bench
