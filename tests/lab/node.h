// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "lab/netns.h"
#include "lab/packet.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lab {

// How the pods of a node are joined: by routes over their veths, or by a bridge (cni0).
enum class Wiring { routed, bridged };
enum class Family { v4, v6 };

std::string_view name_of(Wiring wiring);
std::string_view name_of(Family family);

// A network stack of its own with one address of each family: a pod, the node, the outside.
struct Machine {
    NetNamespace netns;
    std::string interface;      // inside
    std::string host_interface; // its veth on the node; of the node itself: empty
    Mac mac{};                  // of interface
    std::string v4;
    std::string v6;

    const std::string& at(Family family) const { return family == Family::v4 ? v4 : v6; }
};

// A Kubernetes node as a network: pods behind veths, and a host outside of the cluster.
class Node {
public:
    static ebpfd::Result<std::unique_ptr<Node>> make(Wiring wiring);

    // Adds a pod N with the addresses 10.1.0.N and fd00:1::N; its veth is called "veth-NAME".
    ebpfd::Result<Machine*> add_pod(const std::string& name, uint8_t number);
    // The same in two steps: first the pod without an interface, which can come and go.
    ebpfd::Result<Machine*> make_pod(const std::string& name, uint8_t number);
    struct Plug {
        uint32_t index = 0; // of the node's end; 0: any
    };
    ebpfd::Result<void> plug_in(const Machine& pod) { return plug_in(pod, Plug{}); }
    ebpfd::Result<void> plug_in(const Machine& pod, const Plug& plug);
    void unplug(const Machine& pod);
    // Takes the pod's namespace away, and its veth with it.
    void remove_pod(const std::string& name);

    const Machine& pod(const std::string& name) const { return pods_.at(name); }
    const Machine& host() const { return *host_; }
    const Machine& outside() const { return *outside_; }
    Wiring wiring() const { return wiring_; }
    // The beginning of a frame from the pod that reaches the machine: Ethernet and IP.
    Packet packet(const Machine& from, const Machine& to, Family family) const;
    // The Ethernet header alone, towards another pod or (nothing given) the node.
    Packet frame(const Machine& from, const Machine* to = nullptr) const;

private:
    explicit Node(Wiring wiring) : wiring_(wiring) {}
    ebpfd::Result<void> wire_host();
    ebpfd::Result<void> wire_outside();
    std::string host_side(const Machine& pod) const;

    Wiring wiring_;
    std::optional<Machine> host_;
    std::optional<Machine> outside_;
    std::map<std::string, Machine> pods_;
    std::map<std::string, Mac> host_macs_; // by host interface
};

} // namespace lab
