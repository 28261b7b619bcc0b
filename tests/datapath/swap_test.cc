// SPDX-License-Identifier: Apache-2.0
#include "datapath/swaps.h"

#include <array>
#include <fmt/format.h>

using namespace bench;
using namespace lab;

namespace {

constexpr uint16_t last_port_of_range = 1999;

// A policy about shop/web with one rule for both directions.
std::string policy(const std::string& name, const std::string& peers, const std::string& ports)
{
    const auto rule = [&](const char* section, const char* side) {
        return fmt::format("  {}:\n  - {}: [{}]\n    ports: [{}]\n", section, side, peers, ports);
    };
    return fmt::format("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                       "metadata: {{name: {}, namespace: shop}}\nspec:\n"
                       "  podSelector: {{matchLabels: {{app: web}}}}\n"
                       "  policyTypes: [Ingress, Egress]\n{}{}---\n",
                       name, rule("ingress", "from"), rule("egress", "to"));
}

std::string pod_peer(const std::string& space, const std::string& app)
{
    return fmt::format("{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {}}}}}, "
                       "podSelector: {{matchLabels: {{app: {}}}}}}}",
                       space, app);
}

std::string blocks(std::string_view v4, std::string_view v6)
{
    return fmt::format("{{ipBlock: {{cidr: '{}'}}}}, {{ipBlock: {{cidr: '{}'}}}}", v4, v6);
}

// Whom a probe is about, and whether each side has it among its peers.
struct Peer {
    std::string_view v4;
    std::string_view v6;
    std::array<bool, 2> listed;
};

struct Port {
    uint16_t number;
    uint8_t protocol;
    std::array<bool, 2> listed;
};

// Both directions and families, as a first packet and as one of a connection.
void add_probes(Swaps& swaps, const Peer& peer, const Port& port, std::array<bool, 2> passes)
{
    static uint16_t count = 20000; // no two share a flow
    for (const bool v6 : {false, true})
        for (const bool out : {false, true}) {
            const auto ip = [&] {
                const auto self = v6 ? web_v6 : web_v4;
                const auto other = v6 ? peer.v6 : peer.v4;
                const auto source = out ? self : other;
                const auto destination = out ? other : self;
                return v6 ? Packet{}.eth().ipv6(source, destination)
                          : Packet{}.eth().ipv4(source, destination);
            };
            const auto add = [&](const auto& ports_and_flags) {
                Packet packet = ip();
                ports_and_flags(packet, ++count);
                swaps.add({out, count, packet.bytes(), passes});
            };
            if (port.protocol == protocol_udp) {
                add([&](Packet& packet, uint16_t own) { packet.udp(own, port.number); });
                continue;
            }
            for (const uint8_t flags : {SYN, ACK})
                add([&](Packet& packet, uint16_t own) { packet.tcp(own, port.number, flags); });
        }
}

void add_all_probes(Swaps& swaps, const std::vector<Peer>& peers, const std::vector<Port>& ports)
{
    for (const Peer& peer : peers)
        for (const Port& port : ports)
            add_probes(swaps, peer, port,
                       {peer.listed[0] && port.listed[0], peer.listed[1] && port.listed[1]});
}

const std::vector<Port> complementary_ports{
    {80, protocol_tcp, {true, false}},   {1500, protocol_tcp, {true, false}},
    {53, protocol_udp, {true, false}},   {8080, protocol_tcp, {false, true}},
    {2500, protocol_tcp, {false, true}}, {5353, protocol_udp, {false, true}}};
const std::string first_ports = fmt::format(
    "{{port: 80}}, {{port: 1000, endPort: {}}}, {{protocol: UDP, port: 53}}", last_port_of_range);
const std::string second_ports =
    fmt::format("{{port: 8080}}, {{port: {}, endPort: 2999}}, {{protocol: UDP, port: 5353}}",
                last_port_of_range + 1);

// Peers of one side with the other's ports pass by neither; scan's port 443 passes by both, here as
// a pod and there as a block.
TEST(Swap, NoPacketIsJudgedByRowsOfTwoPolicies)
{
    const std::string first =
        policy("first", pod_peer("shop", "db") + ", " + blocks("192.0.2.0/28", "2001:db8::/64"),
               first_ports) +
        policy("first-both", pod_peer("ops", "scan"), "{port: 443}");
    const std::string second =
        policy("second",
               pod_peer("ops", "api") + ", " + blocks("192.0.2.16/28", "2001:db8:0:1::/64"),
               second_ports) +
        policy("second-both", blocks("10.1.0.40/32", "fd00:1::40/128"), "{port: 443}");
    Swaps swaps;
    swaps.side(0, "first", first);
    swaps.side(1, "second", second);
    add_all_probes(swaps,
                   {{db_v4, db_v6, {true, false}},
                    {outside_v4, outside_v6, {true, false}},
                    {api_v4, api_v6, {false, true}},
                    {"192.0.2.20", "2001:db8:0:1::9", {false, true}},
                    {scan_v4, scan_v6, {false, false}}},
                   complementary_ports);
    add_probes(swaps, {scan_v4, scan_v6, {}}, {443, protocol_tcp, {}}, {true, true});
    EXPECT_TRUE(swaps.run());
}

// db and api change places with what a friend may do: a friend of one world under the rules of the
// other would pass where neither lets it.
TEST(Swap, NoPacketIsJudgedByIdentitiesOfOneWorldAndRulesOfAnother)
{
    const std::string friends = "{namespaceSelector: {}, podSelector: {matchLabels: {friend: ''}}}";
    Swaps swaps;
    swaps.side(0, "first", policy("first", friends, first_ports), {"db"});
    swaps.side(1, "second", policy("second", friends, second_ports), {"api"});
    add_all_probes(swaps, {{db_v4, db_v6, {true, false}}, {api_v4, api_v6, {false, true}}},
                   complementary_ports);
    EXPECT_TRUE(swaps.run());
}

// A rule that passes on to other tiers, in one policy or the other.
TEST(Swap, NoPacketIsJudgedByTiersOfTwoPolicies)
{
    const auto admin = [](const std::string& name, uint16_t port) {
        return fmt::format("apiVersion: policy.networking.k8s.io/v1alpha2\n"
                           "kind: ClusterNetworkPolicy\nmetadata: {{name: {}}}\nspec:\n"
                           "  tier: Admin\n  priority: 1\n"
                           "  subject: {{pods: {{namespaceSelector: {{}}, podSelector: "
                           "{{matchLabels: {{app: web}}}}}}}}\n"
                           "  ingress:\n  - action: Deny\n    from: [{{namespaces: {{}}}}]\n"
                           "    protocols: [{{tcp: {{destinationPort: {{number: {}}}}}}}]\n"
                           "  egress:\n  - action: Deny\n    to: [{{namespaces: {{}}}}]\n"
                           "    protocols: [{{tcp: {{destinationPort: {{number: {}}}}}}}]\n---\n",
                           name, port, port);
    };
    Swaps swaps;
    const std::string both = "{port: 80}, {port: 8080}";
    swaps.side(0, "first",
               policy("first", pod_peer("shop", "db"), both) + admin("first-admin", 8080));
    swaps.side(1, "second",
               policy("second", pod_peer("ops", "api"), both) + admin("second-admin", 80));
    add_all_probes(swaps, {{db_v4, db_v6, {true, false}}, {api_v4, api_v6, {false, true}}},
                   {{80, protocol_tcp, {true, false}}, {8080, protocol_tcp, {false, true}}});
    EXPECT_TRUE(swaps.run());
}

} // namespace
