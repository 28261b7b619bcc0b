// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "policy/compile.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

// A small world for tests that read as stories, and a judge over its Plan that follows the
// datapath's formula word by word.
namespace ebpfd {

IpAddress ip(std::string_view text);

// Peers, ports and rules in few words.
PolicyPeer pods(const Labels& labels);
PolicyPeer namespaces(const Labels& labels);
PolicyPeer pods_in(const Labels& of_namespace, const Labels& of_pod);
PolicyPeer block(std::string_view cidr, const std::vector<std::string>& except = {});
PolicyPort port(uint16_t number, Protocol protocol = Protocol::tcp);
PolicyPort ports(uint16_t first, uint16_t last, Protocol protocol = Protocol::tcp);
PolicyPort every_port(Protocol protocol);
PolicyPort named(std::string name, Protocol protocol = Protocol::tcp);
Selector labelled(const Labels& labels);

struct Rules {
    std::vector<PolicyRule> list;
    Rules& rule(std::vector<PolicyPeer> peers, std::vector<PolicyPort> ports = {});
};
// "namespace/name", which pods, and the sections that isolate.
NetworkPolicy policy(const std::string& key, const Labels& selected);
NetworkPolicy ingress_policy(const std::string& key, const Labels& selected, Rules rules);
NetworkPolicy egress_policy(const std::string& key, const Labels& selected, Rules rules);

struct Scene {
    World world;

    // "namespace/name" and its addresses; the reference stays valid.
    Pod& pod(const std::string& key, const Labels& labels,
             const std::vector<std::string>& addresses);
    // The same, with an interface on this node.
    Pod& local(const std::string& key, const Labels& labels,
               const std::vector<std::string>& addresses);
    void describe_namespace(const std::string& name, Labels labels);
    void add(NetworkPolicy policy);
    void service(const std::string& key, const std::string& cluster_ip,
                 std::vector<ServicePort> ports);
    void slice(const std::string& service_key, std::vector<ServicePort> ports,
               const std::vector<std::string>& ready);
    // Expects success.
    Plan plan() const;
};

struct Outcome {
    bool allowed = true;
    std::string rule; // "namespace/name[index]", "isolation a,b", "self", or "" if none decided

    bool operator==(const Outcome&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Outcome& outcome);

inline const Outcome NO_RULE{};
Outcome allowed_by(std::string rule);
Outcome denied_by(std::string rule);

// The rule set of a local pod, or nullptr for one of the special ones.
const PlanRuleset* ruleset_of(const Plan& plan, const std::string& pod, direction dir);
uint32_t ruleset_number(const Plan& plan, const std::string& pod, direction dir);

// protocol: as in the IP header. port: of the destination, host byte order.
Outcome judge(const Plan& plan, const std::string& pod, direction dir, std::string_view peer,
              uint16_t port, uint8_t protocol = 6);
Outcome to_pod(const Plan& plan, const std::string& pod, std::string_view from, uint16_t port = 80,
               uint8_t protocol = 6);
Outcome from_pod(const Plan& plan, const std::string& pod, std::string_view to, uint16_t port = 80,
                 uint8_t protocol = 6);

} // namespace ebpfd
