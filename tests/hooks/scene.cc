// SPDX-License-Identifier: Apache-2.0
#include "hooks/scene.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdlib>
#include <fmt/format.h>
#include <net/if.h>
#include <numeric>
#include <unistd.h>

using namespace ebpfd;

namespace {

template <class T> T value_of(Result<T> result)
{
    if (result)
        return std::move(*result);
    ADD_FAILURE() << result.error().message;
    return T{};
}

DatapathOptions small_tables(const std::string& bpffs)
{
    DatapathOptions options;
    options.bpffs = bpffs;
    options.capacities.flows = 1024;
    options.capacities.endpoints = 8;
    return options;
}

} // namespace

uint64_t entries(const ::histogram& histogram)
{
    return std::accumulate(std::begin(histogram.bucket), std::end(histogram.bucket), uint64_t{0});
}

void Scene::SetUp()
{
    static int count = 0;
    bpffs_ = "/sys/fs/bpf/hooks-" + std::to_string(getpid()) + "-" + std::to_string(++count);
    auto node = lab::Node::make(lab::Wiring::routed);
    ASSERT_TRUE(node) << node.error().message;
    node_ = std::move(*node);
    uint8_t number = 10;
    for (const char* name : {"web", "db", "stranger"})
        ASSERT_TRUE(node_->add_pod(name, number++));
    node_->host().netns.enter([&] { datapath_ = value_of(Datapath::open(small_tables(bpffs_))); });
    ASSERT_TRUE(datapath_);
    maps_ = value_of(PinnedMaps::open(bpffs_));
    ASSERT_TRUE(maps_);
    reasons_ = value_of(maps_->drop_reasons());
    enforce({"web", "db"});
    attach_hooks({.names = hook_names(), .attach = attach()});
}

void Scene::TearDown()
{
    datapath_.reset();
    const auto detached = Datapath::detach(bpffs_);
    EXPECT_TRUE(detached) << detached.error().message;
}

HookAttach Scene::attach()
{
    const char* asked = std::getenv("EBPFD_HOOK_ATTACH");
    const std::string text = asked ? asked : "auto";
    return text == "tp_btf"   ? HookAttach::tp_btf
           : text == "fentry" ? HookAttach::fentry
           : text == "kprobe" ? HookAttach::kprobe
                              : HookAttach::automatic;
}

void Scene::enforce(const std::vector<std::string>& pods, const std::set<std::string>& closed)
{
    node_->host().netns.enter([&] {
        Plan plan;
        for (const auto& name : pods) {
            const lab::Machine& pod = node_->pod(name);
            PlanEndpoint endpoint;
            endpoint.ifindex = if_nametoindex(pod.host_interface.c_str());
            endpoint.interface = pod.host_interface;
            endpoint.pod_namespace = "shop";
            endpoint.pod = name;
            endpoint.addresses = {*IpAddress::parse(pod.v4), *IpAddress::parse(pod.v6)};
            if (closed.contains(name))
                endpoint.ruleset[DIRECTION_EGRESS] = PLAN_RULESET_CLOSED;
            plan.endpoints.push_back(endpoint);
        }
        const auto applied = datapath_->apply(plan);
        ASSERT_TRUE(applied) << applied.error().message;
        EXPECT_TRUE(applied->warnings.empty());
    });
}

void Scene::attach_hooks(const HookOptions& options)
{
    node_->host().netns.enter([&] { datapath_->attach_hooks(options); });
}

void Scene::sweep()
{
    node_->host().netns.enter([&] { EXPECT_TRUE(datapath_->sweep([](const event&) {})); });
}

uint32_t Scene::index_of(const std::string& pod) const
{
    for (const auto& [ifindex, name] : value_of(maps_->endpoint_names()))
        if (name.pod == pod)
            return name.index;
    ADD_FAILURE() << pod << " is no endpoint";
    return 0;
}

::pod_health Scene::of(const std::string& pod) const
{
    return value_of(maps_->health_of_pod(index_of(pod)));
}

uint64_t Scene::drops(const std::string& pod, const std::string& reason) const
{
    uint64_t packets = 0;
    for (const auto& drops : value_of(maps_->kernel_drops()))
        if (drops.endpoint_index == index_of(pod) &&
            drop_reason_name(reasons_, drops.reason) == reason)
            packets += drops.total.packets;
    return packets;
}

std::string Scene::drops_text(const std::string& pod) const
{
    std::string out;
    for (const auto& drops : value_of(maps_->kernel_drops()))
        if (drops.endpoint_index == index_of(pod))
            out += fmt::format("{} {}; ", drops.total.packets,
                               drop_reason_name(reasons_, drops.reason));
    return out;
}

::health Scene::flow_to(const std::string& pod, uint16_t port) const
{
    for (const auto& [key, flow] : value_of(maps_->flows(true))) {
        const bool mine = flow.endpoint == index_of(pod);
        if (mine && (key.peer_port == htons(port) || key.pod_port == htons(port)))
            return value_of(maps_->health_of_flow(key)).value_or(health{});
    }
    return {};
}

std::vector<::event> Scene::events()
{
    std::vector<::event> out;
    EXPECT_TRUE(datapath_->drain(std::chrono::milliseconds(0),
                                 [&](ring, const event& one) { out.push_back(one); }));
    return out;
}
