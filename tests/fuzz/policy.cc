// SPDX-License-Identifier: Apache-2.0
// Policy files, down to their verdicts: what is read is compiled, and the plan judges as the naive
// evaluator does.
#include "fuzz/documents.h"
#include "fuzz/target.h"
#include "policy/compile.h"
#include "property/scenario.h"
#include "property/verdict.h"
#include "property/vocabulary.h"
#include "source/parse.h"

#include <fmt/format.h>

using namespace ebpfd;

namespace fuzz {
namespace {

constexpr std::string_view inventory = R"(
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: sales}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: ops, labels: {team: ops}}}
---
{apiVersion: v1, kind: Node, metadata: {name: this, labels: {zone: a}},
 status: {addresses: [{type: InternalIP, address: 10.0.2.1}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}
status: {podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
status: {podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: scan, namespace: ops, labels: {app: scan, tier: back}}
status: {podIPs: [{ip: 10.0.0.3}, {ip: "fd00::3"}]}
)";

World make_world()
{
    World world;
    put(world, decode_documents(parse_documents(inventory, "inventory.yaml").value(),
                                FolderKind::inventory));
    world.interfaces = {{101, "veth101", world.pods[0]}, {102, "veth102", world.pods[1]}};
    world.node_addresses = {IpAddress::parse("10.0.2.1").value()};
    return world;
}

// What the files of a folder say with this one alone: of objects that stand twice, the last.
World with_policies(const World& world, FileContent content)
{
    ObjectStore store;
    store.set("file.yaml", std::move(content));
    World with = world;
    with.policies = store.in_force().policies;
    with.cluster_policies = store.in_force().cluster_policies;
    return with;
}

std::vector<reference::Packet> make_packets(const World& world)
{
    std::vector<reference::Packet> packets;
    const auto add = [&](const LocalInterface& interface, size_t family, uint8_t protocol,
                         uint16_t port) {
        const IpAddress& pod = interface.pod->addresses[family];
        const property::Family& words = property::families()[family];
        for (const IpAddress& peer :
             {words.pods[0], words.pods[1], words.pods[2], words.outside[1], words.this_node}) {
            packets.push_back(
                {interface.ifindex, DIRECTION_INGRESS, peer, pod, protocol, 40000, port});
            packets.push_back(
                {interface.ifindex, DIRECTION_EGRESS, pod, peer, protocol, 40000, port});
        }
    };
    for (const LocalInterface& interface : world.interfaces)
        for (size_t family = 0; family < 2; family++) {
            add(interface, family, 6, 80);
            add(interface, family, 6, 8080);
            add(interface, family, 17, 53);
            add(interface, family, property::families()[family].icmp, 0);
        }
    return packets;
}

void expect_same_verdicts(const World& world)
{
    static const std::vector<reference::Packet> packets = make_packets(world);
    const Result<Plan> plan = compile(world);
    if (!plan) { // more than a rule set holds
        expect(!plan.error().message.empty(), "a plan that cannot be made has a reason");
        return;
    }
    for (const reference::Packet& packet : packets) {
        const property::Verdict expected = property::of_reference(world, packet);
        const property::Verdict compiled = property::of_plan(*plan, packet);
        if (compiled != expected)
            expect_equal(
                property::describe(expected), property::describe(compiled),
                fmt::format("{}\n{}", property::describe(world), property::describe(packet)));
    }
}

} // namespace

void try_input(std::string_view input)
{
    static const World world = make_world();
    FileContent content = read_twice(input, FolderKind::policy);
    if (!content.objects.policies.empty() || !content.objects.cluster_policies.empty())
        expect_same_verdicts(with_policies(world, std::move(content)));
}

} // namespace fuzz
