// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/world.h"

#include <cstdint>
#include <string>

// The single questions of which a judgement consists.
namespace reference {

bool selector_matches(const ebpfd::Selector& selector, const ebpfd::Labels& labels);

// With the name label that every namespace has, described or not.
ebpfd::Labels namespace_labels(const ebpfd::World& world, const std::string& name);

// Families apart: an IPv6 block holds no IPv4 address, however wide it is.
bool inside(const ebpfd::Cidr& block, const ebpfd::IpAddress& address);

bool same_family(const ebpfd::IpAddress& a, const ebpfd::IpAddress& b);

bool policy_selects(const ebpfd::NetworkPolicy& policy, const ebpfd::Pod& pod);
bool cluster_policy_selects(const ebpfd::World& world, const ebpfd::ClusterPolicy& policy,
                            const ebpfd::Pod& pod);

// The pod that an address stands for, nullptr if none: the newest pod that is not finished,
// unless that is a node's address.
const ebpfd::Pod* owner(const ebpfd::World& world, const ebpfd::IpAddress& address);

// One end of a connection, as rules of a policy in that namespace see it.
bool peer_matches(const ebpfd::World& world, const std::string& own_namespace,
                  const ebpfd::PolicyRule& rule, const ebpfd::IpAddress& address);

// destination: the pod that resolves port names, or nullptr.
bool port_matches(const ebpfd::PolicyRule& rule, uint8_t protocol, uint16_t port,
                  const ebpfd::Pod* destination);

} // namespace reference
