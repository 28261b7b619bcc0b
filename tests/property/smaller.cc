// SPDX-License-Identifier: Apache-2.0
#include "property/scenario.h"

#include <algorithm>
#include <functional>

using namespace ebpfd;

namespace property {

template <class T> using Sink = std::function<void(T)>;

// Calls sink with the list without its first, second … item.
template <class T>
static void each_dropped(const std::vector<T>& items, const Sink<std::vector<T>>& sink)
{
    for (size_t index = 0; index < items.size(); ++index) {
        std::vector<T> rest = items;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(index));
        sink(std::move(rest));
    }
}

// Calls sink with the object for every way to make one member list shorter.
template <class Object, class T>
static void each_shorter(const Object& object, std::vector<T> Object::*list,
                         const Sink<Object>& sink)
{
    each_dropped<T>(object.*list, [&](std::vector<T> rest) {
        Object copy = object;
        copy.*list = std::move(rest);
        sink(std::move(copy));
    });
}

template <class Object, class T>
static void each_shorter(const Object& object, SharedList<T> Object::*list,
                         const Sink<Object>& sink)
{
    each_dropped<T>(object.*list, [&](std::vector<T> rest) {
        Object copy = object;
        copy.*list = std::move(rest);
        sink(std::move(copy));
    });
}

// Calls sink with the object for every way to make one element of a member list smaller.
template <class Object, class T>
static void each_inner(const Object& object, std::vector<T> Object::*list,
                       const std::function<void(const T&, const Sink<T>&)>& shrink,
                       const Sink<Object>& sink)
{
    for (size_t index = 0; index < (object.*list).size(); ++index)
        shrink((object.*list)[index], [&](T element) {
            Object copy = object;
            (copy.*list)[index] = std::move(element);
            sink(std::move(copy));
        });
}

template <class Object, class T>
static void each_inner(const Object& object, SharedList<T> Object::*list,
                       const std::function<void(const T&, const Sink<T>&)>& shrink,
                       const Sink<Object>& sink)
{
    for (size_t index = 0; index < (object.*list).size(); ++index)
        shrink((object.*list)[index], [&](T element) {
            Object copy = object;
            (copy.*list).edit()[index] = std::move(element);
            sink(std::move(copy));
        });
}

static void smaller_peer(const PolicyPeer& peer, const Sink<PolicyPeer>& sink)
{
    PolicyPeer copy = peer;
    if (peer.block)
        each_shorter<IpBlock, Cidr>(*peer.block, &IpBlock::except, [&](IpBlock block) {
            copy.block = std::move(block);
            sink(copy);
        });
    for (auto selector : {&PolicyPeer::pods, &PolicyPeer::namespaces})
        if (peer.*selector)
            each_shorter<Selector, Requirement>(*(peer.*selector), &Selector::requirements,
                                                [&](Selector fewer) {
                                                    copy = peer;
                                                    copy.*selector = std::move(fewer);
                                                    sink(copy);
                                                });
}

static void smaller_rule(const PolicyRule& rule, const Sink<PolicyRule>& sink)
{
    each_shorter(rule, &PolicyRule::peers, sink);
    each_shorter(rule, &PolicyRule::ports, sink);
    each_inner<PolicyRule, PolicyPeer>(rule, &PolicyRule::peers, smaller_peer, sink);
}

static void smaller_policy(const NetworkPolicy& policy, const Sink<NetworkPolicy>& sink)
{
    NetworkPolicy copy = policy;
    each_shorter<Selector, Requirement>(policy.pod_selector, &Selector::requirements,
                                        [&](Selector selector) {
                                            copy.pod_selector = std::move(selector);
                                            sink(copy);
                                        });
    for (auto rules : {&NetworkPolicy::ingress, &NetworkPolicy::egress}) {
        if (!(policy.*rules))
            continue;
        copy = policy;
        const auto keep = [&](std::vector<PolicyRule> fewer) {
            copy.*rules = std::move(fewer);
            sink(copy);
        };
        each_dropped<PolicyRule>(*(policy.*rules), keep);
        for (size_t index = 0; index < (policy.*rules)->size(); ++index)
            smaller_rule((*(policy.*rules))[index], [&](PolicyRule rule) {
                copy = policy;
                (*(copy.*rules))[index] = std::move(rule);
                sink(copy);
            });
        copy.*rules = std::nullopt;
        sink(copy);
    }
}

static void smaller_cluster_policy(const ClusterPolicy& policy, const Sink<ClusterPolicy>& sink)
{
    for (auto rules : {&ClusterPolicy::ingress, &ClusterPolicy::egress}) {
        each_shorter(policy, rules, sink);
        each_inner<ClusterPolicy, PolicyRule>(policy, rules, smaller_rule, sink);
    }
    for (auto selector : {&ClusterPolicy::namespaces, &ClusterPolicy::pods})
        each_shorter<Selector, Requirement>(policy.*selector, &Selector::requirements,
                                            [&](Selector fewer) {
                                                ClusterPolicy copy = policy;
                                                copy.*selector = std::move(fewer);
                                                sink(copy);
                                            });
}

static void smaller_pod(const Pod& pod, const Sink<Pod>& sink)
{
    each_shorter(pod, &Pod::addresses, sink);
    each_shorter(pod, &Pod::ports, sink);
    for (const auto& [key, value] : pod.labels) {
        Pod copy = pod;
        copy.labels.erase(key);
        sink(std::move(copy));
    }
}

static void smaller_slice(const EndpointSlice& slice, const Sink<EndpointSlice>& sink)
{
    each_shorter(slice, &EndpointSlice::ports, sink);
    each_shorter(slice, &EndpointSlice::ready_addresses, sink);
}

static void smaller_service(const Service& service, const Sink<Service>& sink)
{
    each_shorter(service, &Service::cluster_ips, sink);
    each_shorter(service, &Service::ports, sink);
}

// As smaller(T), for the shared objects that a world holds.
template <class T>
static std::function<void(const std::shared_ptr<const T>&, const Sink<std::shared_ptr<const T>>&)>
shared(void (*smaller)(const T&, const Sink<T>&))
{
    return [smaller](const auto& object, const auto& sink) {
        smaller(*object, [&](T copy) { sink(std::make_shared<T>(std::move(copy))); });
    };
}

static void smaller_pods(const World& world, const Sink<World>& sink)
{
    each_inner<World, std::shared_ptr<const Pod>>(
        world, &World::pods, shared(smaller_pod), [&](World copy) {
            for (LocalInterface& interface : copy.interfaces)
                for (size_t index = 0; index < world.pods.size(); ++index)
                    if (interface.pod == world.pods[index])
                        interface.pod = copy.pods[index];
            sink(std::move(copy));
        });
    each_shorter<World, std::shared_ptr<const Pod>>(world, &World::pods, [&](World copy) {
        for (const LocalInterface& interface : copy.interfaces)
            if (interface.pod != nullptr && std::ranges::count(copy.pods, interface.pod) == 0)
                return;
        sink(std::move(copy));
    });
}

static void smaller_world(const World& world, const Sink<World>& sink)
{
    each_shorter(world, &World::policies, sink);
    each_shorter(world, &World::cluster_policies, sink);
    each_shorter(world, &World::nodes, sink);
    each_shorter(world, &World::services, sink);
    each_shorter(world, &World::slices, sink);
    each_shorter(world, &World::namespaces, sink);
    each_shorter(world, &World::interfaces, sink);
    smaller_pods(world, sink);
    each_inner(world, &World::policies, shared(smaller_policy), sink);
    each_inner(world, &World::cluster_policies, shared(smaller_cluster_policy), sink);
    each_inner(world, &World::services, shared(smaller_service), sink);
    each_inner(world, &World::slices, shared(smaller_slice), sink);
    for (const IpAddress& address : world.node_addresses) {
        World copy = world;
        copy.node_addresses.erase(address);
        sink(std::move(copy));
    }
}

static bool has_interface(const World& world, const reference::Packet& packet)
{
    return std::ranges::count(world.interfaces, packet.ifindex, &LocalInterface::ifindex) > 0;
}

std::vector<Scenario> smaller(const Scenario& scenario)
{
    std::vector<Scenario> candidates;
    if (scenario.packets.size() > 1)
        for (const reference::Packet& packet : scenario.packets)
            candidates.push_back({scenario.world, {packet}});
    smaller_world(scenario.world, [&](World world) {
        for (const reference::Packet& packet : scenario.packets)
            if (!has_interface(world, packet))
                return;
        candidates.push_back({std::move(world), scenario.packets});
    });
    return candidates;
}

} // namespace property
