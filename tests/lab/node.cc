// SPDX-License-Identifier: Apache-2.0
#include "lab/node.h"

#include <array>
#include <cstdio>
#include <utility>

namespace lab {
namespace {

constexpr Mac bridge_mac{0x02, 0, 0, 0, 3, 1};
constexpr Mac uplink_mac{0x02, 0, 0, 0, 4, 1};
constexpr Mac outside_mac{0x02, 0, 0, 0, 4, 2};

std::string text(const Mac& mac)
{
    std::array<char, 18> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
                  mac[2], mac[3], mac[4], mac[5]);
    return buffer.data();
}

ebpfd::Result<Machine> machine(std::string_view role, std::string v4, std::string v6)
{
    auto netns = NetNamespace::create(role);
    if (!netns)
        return std::unexpected(std::move(netns.error()));
    // Addresses are usable at once: nobody else could own them. And nobody sends what no test asked
    // for: tests compare counters.
    for (const char* key : {"ipv6/conf/all/accept_dad", "ipv6/conf/default/accept_dad",
                            "ipv6/conf/default/router_solicitations"})
        if (auto set = netns->sysctl(key, "0"); !set)
            return std::unexpected(std::move(set.error()));
    if (auto up = netns->ip("link set lo up\n"); !up)
        return std::unexpected(std::move(up.error()));
    return Machine{.netns = std::move(*netns),
                   .interface = "eth0",
                   .host_interface = {},
                   .mac = {},
                   .v4 = std::move(v4),
                   .v6 = std::move(v6)};
}

std::string inside_routed(const Machine& pod)
{
    return "link set eth0 up\n"
           "addr add " +
           pod.v4 +
           "/32 dev eth0\n"
           "addr add " +
           pod.v6 +
           "/128 dev eth0 nodad\n"
           "route add " +
           std::string(node_v4) +
           " dev eth0 scope link\n"
           "route add default via " +
           std::string(node_v4) +
           "\n"
           "route add default via fe80::1 dev eth0\n";
}

std::string inside_bridged(const Machine& pod)
{
    return "link set eth0 up\n"
           "addr add " +
           pod.v4 +
           "/24 dev eth0\n"
           "addr add " +
           pod.v6 +
           "/64 dev eth0 nodad\n"
           "route add default via " +
           std::string(node_v4) +
           "\n"
           "route add default via " +
           std::string(node_v6) + "\n";
}

} // namespace

std::string_view name_of(Wiring wiring)
{
    return wiring == Wiring::routed ? "routed" : "bridged";
}

std::string_view name_of(Family family)
{
    return family == Family::v4 ? "IPv4" : "IPv6";
}

ebpfd::Result<std::unique_ptr<Node>> Node::make(Wiring wiring)
{
    std::unique_ptr<Node> node(new Node(wiring));
    if (auto done = node->wire_host(); !done)
        return std::unexpected(std::move(done.error()));
    if (auto done = node->wire_outside(); !done)
        return std::unexpected(std::move(done.error()));
    return node;
}

ebpfd::Result<void> Node::wire_host()
{
    auto host = machine("node", std::string(node_v4), std::string(node_v6));
    if (!host)
        return std::unexpected(std::move(host.error()));
    host_ = std::move(*host);
    for (const auto& [key, value] : {std::pair{"ipv4/ip_forward", "1"},
                                     {"ipv6/conf/all/forwarding", "1"},
                                     {"ipv4/conf/all/rp_filter", "0"},
                                     {"ipv4/conf/default/rp_filter", "0"},
                                     {"ipv4/conf/all/send_redirects", "0"},
                                     {"ipv4/conf/default/send_redirects", "0"}})
        if (auto set = host_->netns.sysctl(key, value); !set)
            return set;
    if (wiring_ == Wiring::routed)
        return host_->netns.ip("addr add " + std::string(node_v6) + "/128 dev lo\n");
    return host_->netns.ip("link add cni0 address " + text(bridge_mac) +
                           " type bridge forward_delay 0 mcast_snooping 0\n"
                           "addr add " +
                           std::string(node_v4) +
                           "/24 dev cni0\n"
                           "addr add " +
                           std::string(node_v6) +
                           "/64 dev cni0 nodad\n"
                           "link set cni0 up\n");
}

ebpfd::Result<void> Node::wire_outside()
{
    auto outside = machine("outside", std::string(outside_v4), std::string(outside_v6));
    if (!outside)
        return std::unexpected(std::move(outside.error()));
    outside_ = std::move(*outside);
    outside_->host_interface = "uplink";
    outside_->mac = outside_mac;
    host_macs_[outside_->host_interface] = uplink_mac;
    auto done = host_->netns.ip("link add uplink address " + text(uplink_mac) +
                                " type veth peer name eth0 address " + text(outside_mac) +
                                " netns " + outside_->netns.name() +
                                "\n"
                                "addr add 192.0.2.1/24 dev uplink\n"
                                "addr add 2001:db8::1/64 dev uplink nodad\n"
                                "link set uplink up\n"
                                "route add " +
                                std::string(service_v4) +
                                " via 192.0.2.9\n"
                                "route add " +
                                std::string(service_v6) + " via 2001:db8::9\n");
    if (!done)
        return done;
    // The outside plays the services as well: it answers at their cluster IPs, which are
    // deprecated so that nothing is sent from them unasked.
    return outside_->netns.ip("addr add " + outside_->v4 +
                              "/24 dev eth0\n"
                              "addr add " +
                              outside_->v6 +
                              "/64 dev eth0 nodad\n"
                              "addr add " +
                              std::string(service_v4) +
                              "/32 dev lo\n"
                              "addr add " +
                              std::string(service_v6) +
                              "/128 dev lo preferred_lft 0\n"
                              "link set eth0 up\n"
                              "route add default via 192.0.2.1\n"
                              "route add default via 2001:db8::1\n");
}

std::string Node::host_side(const Machine& pod) const
{
    const std::string& veth = pod.host_interface;
    if (wiring_ == Wiring::bridged)
        return "link set " + veth + " master cni0\nlink set " + veth + " up\n";
    return "addr add " + std::string(node_v4) + "/32 dev " + veth + "\n" +
           "addr add fe80::1/64 dev " + veth + " nodad\n" + "link set " + veth + " up\n" +
           "route add " + pod.v4 + "/32 dev " + veth + " src " + std::string(node_v4) + "\n" +
           "route add " + pod.v6 + "/128 dev " + veth + " src " + std::string(node_v6) + "\n";
}

ebpfd::Result<Machine*> Node::make_pod(const std::string& name, uint8_t number)
{
    const std::string digits = std::to_string(number);
    auto made = machine(name, "10.1.0." + digits, "fd00:1::" + digits);
    if (!made)
        return std::unexpected(std::move(made.error()));
    Machine& pod = pods_.insert_or_assign(name, std::move(*made)).first->second;
    pod.host_interface = "veth-" + name;
    pod.mac = {0x02, 0, 0, 0, 1, number};
    host_macs_[pod.host_interface] = {0x02, 0, 0, 0, 2, number};
    return &pod;
}

ebpfd::Result<void> Node::plug_in(const Machine& pod, const Plug& plug)
{
    const std::string index = plug.index != 0 ? " index " + std::to_string(plug.index) : "";
    const std::string pair = "link add " + pod.host_interface + index + " address " +
                             text(host_macs_.at(pod.host_interface)) +
                             " type veth peer name eth0 address " + text(pod.mac) + " netns " +
                             pod.netns.name() + "\n";
    if (auto done = host_->netns.ip(pair + host_side(pod)); !done)
        return done;
    return pod.netns.ip(wiring_ == Wiring::routed ? inside_routed(pod) : inside_bridged(pod));
}

ebpfd::Result<Machine*> Node::add_pod(const std::string& name, uint8_t number)
{
    auto pod = make_pod(name, number);
    if (!pod)
        return pod;
    if (auto done = plug_in(**pod); !done)
        return std::unexpected(std::move(done.error()));
    return pod;
}

void Node::unplug(const Machine& pod)
{
    (void)host_->netns.ip("link delete " + pod.host_interface + "\n");
}

void Node::remove_pod(const std::string& name)
{
    // The namespace may outlive its name for a moment; the veth goes now.
    unplug(pods_.at(name));
    pods_.erase(name);
}

Packet Node::frame(const Machine& from, const Machine* to) const
{
    if (wiring_ == Wiring::routed || &from == &*outside_)
        return Packet{}.eth(from.mac, host_macs_.at(from.host_interface));
    return Packet{}.eth(
        from.mac, to != nullptr && to->mac != Mac{} && to != &*outside_ ? to->mac : bridge_mac);
}

Packet Node::packet(const Machine& from, const Machine& to, Family family) const
{
    Packet result = frame(from, &to);
    return family == Family::v4 ? result.ipv4(from.v4, to.v4) : result.ipv6(from.v6, to.v6);
}

} // namespace lab
