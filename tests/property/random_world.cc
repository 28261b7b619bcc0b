// SPDX-License-Identifier: Apache-2.0
#include "property/scenario.h"
#include "property/vocabulary.h"

#include <algorithm>

using namespace ebpfd;

namespace property {

static Labels random_labels(Dice& dice)
{
    Labels labels;
    for (const std::string& key : label_keys())
        if (dice.chance(45))
            labels[key] = dice.pick(label_values());
    return labels;
}

static std::vector<NamedPort> random_named_ports(Dice& dice)
{
    std::vector<NamedPort> ports(dice.below(4));
    for (NamedPort& port : ports) {
        port.name = dice.pick(port_names());
        port.protocol = dice.chance(60) ? Protocol::tcp : dice.pick(protocols());
        port.number = dice.pick(port_numbers());
    }
    return ports;
}

static Pod random_pod(Dice& dice, size_t number, size_t age)
{
    Pod pod;
    pod.pod_namespace = random_namespace(dice);
    pod.name = "pod" + std::to_string(number);
    pod.uid = "uid" + std::to_string(number);
    pod.labels = random_labels(dice);
    pod.ports = random_named_ports(dice);
    pod.created = "2026-01-01T00:00:0" + std::to_string(age) + "Z";
    pod.host_network = dice.chance(12);
    pod.finished = dice.chance(12);
    const bool here = dice.chance(50);
    for (const Family& family : families()) {
        if (pod.host_network)
            pod.addresses.push_back(here ? family.this_node : family.other_node);
        else if (dice.chance(75))
            pod.addresses.push_back(dice.chance(3) ? family.this_node : dice.pick(family.pods));
    }
    return pod;
}

static void add_pods(Dice& dice, World& world)
{
    std::vector<size_t> ages(dice.between(1, 7));
    for (size_t index = 0; index < ages.size(); ++index)
        ages[index] = index;
    dice.shuffle(ages);
    for (size_t number = 0; number < ages.size(); ++number)
        world.pods.push_back(std::make_shared<Pod>(random_pod(dice, number, ages[number])));
}

static void add_namespaces(Dice& dice, World& world)
{
    for (const std::string& name : namespace_names()) {
        if (dice.chance(30))
            continue;
        Namespace space{.name = name, .labels = random_labels(dice), .origin = {}};
        space.labels["kubernetes.io/metadata.name"] = name;
        world.namespaces.push_back(std::make_shared<Namespace>(space));
    }
}

static void add_interfaces(Dice& dice, World& world)
{
    std::vector<std::shared_ptr<const Pod>> candidates = world.pods;
    std::erase_if(candidates, [](const auto& pod) { return pod->host_network; });
    const size_t last = dice.between(first_ifindex, last_ifindex);
    for (uint32_t ifindex = first_ifindex; ifindex <= last; ++ifindex) {
        LocalInterface interface {
            .ifindex = ifindex, .name = "veth" + std::to_string(ifindex), .pod = nullptr
        };
        if (!candidates.empty() && dice.chance(95))
            interface.pod = dice.pick(candidates);
        world.interfaces.push_back(interface);
    }
}

static Service random_service(Dice& dice, size_t number)
{
    Service service{.service_namespace = dice.pick(namespace_names()),
                    .name = "s" + std::to_string(number),
                    .cluster_ips = {},
                    .ports = {},
                    .origin = {}};
    for (const Family& family : families())
        if (dice.chance(80))
            service.cluster_ips.push_back(family.cluster_ips[number]);
    service.ports.push_back({"", dice.pick(protocols()), dice.pick(port_numbers())});
    if (dice.chance(50)) {
        service.ports.front().name = "one";
        service.ports.push_back({"two", Protocol::tcp, dice.pick(port_numbers())});
        if (service.ports[0].port == service.ports[1].port &&
            service.ports[0].protocol == service.ports[1].protocol)
            service.ports.pop_back();
    }
    return service;
}

static IpAddress random_backend(Dice& dice)
{
    const Family& family = dice.pick(families());
    if (dice.chance(80))
        return dice.pick(family.pods);
    return dice.chance(50) ? dice.pick(family.outside) : family.this_node;
}

static EndpointSlice random_slice(Dice& dice, const Service& service, size_t number)
{
    EndpointSlice slice{.slice_namespace = service.service_namespace,
                        .name = service.name + "-" + std::to_string(number),
                        .service = service.name,
                        .ports = {},
                        .ready_addresses = {},
                        .origin = {}};
    if (dice.chance(10))
        slice.slice_namespace = dice.pick(namespace_names());
    for (ServicePort target : service.ports) {
        target.port = dice.pick(port_numbers());
        if (dice.chance(10))
            target.protocol = dice.pick(protocols());
        if (dice.chance(90))
            slice.ports.push_back(target);
    }
    for (size_t left = dice.below(4); left > 0; --left)
        slice.ready_addresses.push_back(random_backend(dice));
    return slice;
}

static void add_services(Dice& dice, World& world)
{
    const size_t count = dice.between(1, 3);
    for (size_t number = 0; number < count; ++number) {
        const Service service = random_service(dice, number);
        for (size_t slice = dice.below(3); slice > 0; --slice)
            world.slices.push_back(
                std::make_shared<EndpointSlice>(random_slice(dice, service, slice)));
        world.services.push_back(std::make_shared<Service>(service));
    }
}

static void add_nodes(Dice& dice, World& world)
{
    for (const bool here : {true, false}) {
        Node node{.name = here ? "this" : "other",
                  .labels = random_labels(dice),
                  .addresses = {},
                  .origin = {}};
        for (const Family& family : families())
            if (dice.chance(80))
                node.addresses.push_back(here ? family.this_node : family.other_node);
        world.nodes.push_back(std::make_shared<Node>(std::move(node)));
    }
}

World random_world(Dice& dice)
{
    World world;
    for (NetworkPolicy& policy : random_policies(dice))
        world.policies.push_back(std::make_shared<NetworkPolicy>(std::move(policy)));
    for (ClusterPolicy& policy : random_cluster_policies(dice))
        world.cluster_policies.push_back(std::make_shared<ClusterPolicy>(std::move(policy)));
    add_nodes(dice, world);
    add_pods(dice, world);
    add_namespaces(dice, world);
    add_interfaces(dice, world);
    if (dice.chance(60))
        add_services(dice, world);
    for (const Family& family : families())
        if (dice.chance(85))
            world.node_addresses.insert(family.this_node);
    return world;
}

} // namespace property
