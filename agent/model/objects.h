// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/ruleset.h"
#include "ebpfd/verdict.h"
#include "model/address.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

// The Kubernetes objects that matter to the agent, decoded, defaulted and validated. Of one kind,
// order() is the same for the same object alone.
namespace ebpfd {

// Where something was written. line and column count from 1; 0: not known.
struct Origin {
    std::string file;
    uint32_t line = 0;
    uint32_t column = 0;

    bool operator==(const Origin&) const = default;
};

using Labels = std::map<std::string, std::string>;

// IP protocol numbers.
enum class Protocol : uint8_t { tcp = 6, udp = 17, sctp = 132 };

struct NamedPort {
    std::string name;
    Protocol protocol = Protocol::tcp;
    uint16_t number = 0; // host byte order, as everywhere in the model
    auto operator<=>(const NamedPort&) const = default;
};

// The controller that made a pod: metadata.ownerReferences.
struct Controller {
    std::string kind; // "ReplicaSet", "StatefulSet" …
    std::string name;
    bool operator==(const Controller&) const = default;
};

struct Pod {
    std::string pod_namespace = "default";
    std::string name;
    std::string uid;
    Labels labels;
    std::string node;      // spec.nodeName; empty: any node
    std::string interface; // annotation ebpfd.io/interface; empty: found by address
    std::string created;   // metadata.creationTimestamp, RFC 3339: sorts as text
    bool host_network = false;
    bool finished = false;            // phase Succeeded or Failed
    bool terminating = false;         // it is being deleted, and may still run
    std::vector<IpAddress> addresses; // status.podIPs and podIP, both families
    std::vector<NamedPort> ports;     // of containers, and of init containers that stay
    std::optional<Controller> controller;
    Origin origin;

    std::string key() const { return pod_namespace + "/" + name; }
    auto order() const { return std::tie(pod_namespace, name); }
};

// Of two pods that show one address, the newer one has it, and one that is to stay before one that
// ends. Two of one second are told apart by uid: nobody knows which it is, but everybody says the
// same.
bool is_newer(const Pod& one, const Pod& other);

struct Namespace {
    std::string name;
    Labels labels; // kubernetes.io/metadata.name included
    Origin origin;

    auto order() const { return std::tie(name); }
};

struct ServicePort {
    std::string name;
    Protocol protocol = Protocol::tcp;
    uint16_t port = 0;
};

struct Service {
    std::string service_namespace = "default";
    std::string name;
    std::vector<IpAddress> cluster_ips; // headless: empty
    std::vector<ServicePort> ports;
    Origin origin;

    auto order() const { return std::tie(service_namespace, name); }
};

struct EndpointSlice {
    std::string slice_namespace = "default";
    std::string name;
    std::string service;                    // label kubernetes.io/service-name
    std::vector<ServicePort> ports;         // target ports, by the service port's name
    std::vector<IpAddress> ready_addresses; // of endpoints whose condition ready is not false
    Origin origin;

    auto order() const { return std::tie(slice_namespace, name); }
};

struct Node {
    std::string name;
    Labels labels;
    std::vector<IpAddress> addresses;
    Origin origin;

    auto order() const { return std::tie(name); }
};

// One requirement on labels; matchLabels become In with one value.
struct Requirement {
    enum class Operator : uint8_t { in, not_in, exists, does_not_exist };
    std::string key;
    Operator op = Operator::in;
    std::vector<std::string> values; // sorted
    auto operator<=>(const Requirement&) const = default;
};

// All requirements hold; an empty selector matches everything.
struct Selector {
    std::vector<Requirement> requirements; // sorted
    auto operator<=>(const Selector&) const = default;
    bool matches(const Labels& labels) const;
};

struct IpBlock {
    Cidr cidr;
    std::vector<Cidr> except; // each strictly inside cidr
    auto operator<=>(const IpBlock&) const = default;
};

// A block, nodes, or pods: those alone means the policy's own namespace.
struct PolicyPeer {
    std::optional<IpBlock> block;
    std::optional<Selector> namespaces;
    std::optional<Selector> pods;
    std::optional<Selector> nodes{}; // of cluster-wide policies alone: the nodes' addresses
    bool operator==(const PolicyPeer&) const = default;
};

struct PortRange {
    uint16_t first = 0; // 0 to 65535: every port of the protocol
    uint16_t last = 65535;
    auto operator<=>(const PortRange&) const = default;
};

// A port of one protocol: a range, or a name that the destination pod resolves.
struct PolicyPort {
    Protocol protocol = Protocol::tcp;
    std::variant<PortRange, std::string> port;
    bool operator==(const PolicyPort&) const = default;
};

struct PolicyRule {
    std::vector<PolicyPeer> peers; // empty: everyone
    std::vector<PolicyPort> ports; // empty: every port and protocol
    Origin origin;
    rule_action action = ACTION_ALLOW;
    bool nobody = false; // no peer at all: none of those that stand there is enforced
};

// networking.k8s.io/v1 NetworkPolicy after defaulting. A direction without a value is not
// isolated by this policy; an empty list denies all of it.
struct NetworkPolicy {
    std::string policy_namespace = "default";
    std::string name;
    Selector pod_selector;
    std::optional<std::vector<PolicyRule>> ingress;
    std::optional<std::vector<PolicyRule>> egress;
    bool dry_run = false; // judged and told of, not enforced
    Origin origin;

    std::string key() const { return policy_namespace + "/" + name; }
    auto order() const { return std::tie(policy_namespace, name); }
};

// ClusterNetworkPolicy, or one of its predecessors, AdminNetworkPolicy and
// BaselineAdminNetworkPolicy: ordered rules of one tier that isolate nobody by themselves.
struct ClusterPolicy {
    std::string kind;
    std::string name;
    tier in_tier = TIER_ADMIN;
    uint32_t priority = 0; // lower comes first
    Selector namespaces;   // of the subjects
    Selector pods;
    std::vector<PolicyRule> ingress;
    std::vector<PolicyRule> egress;
    std::vector<std::string> notes; // what of it is not enforced
    bool dry_run = false;           // as of a NetworkPolicy
    Origin origin;

    std::string key() const { return kind + "/" + name; }
    auto order() const { return std::tie(kind, name); }
    const std::vector<PolicyRule>& rules(direction dir) const
    {
        return dir == DIRECTION_INGRESS ? ingress : egress;
    }
};

} // namespace ebpfd
