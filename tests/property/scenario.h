// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/world.h"
#include "property/dice.h"
#include "reference/judge.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace property {

// One case: a world and the packets to judge in it.
struct Scenario {
    ebpfd::World world;
    std::vector<reference::Packet> packets;
};

// One namespace more often than the others, so that policies meet pods.
std::string random_namespace(Dice& dice);
ebpfd::World random_world(Dice& dice);
std::vector<ebpfd::NetworkPolicy> random_policies(Dice& dice);
std::vector<ebpfd::ClusterPolicy> random_cluster_policies(Dice& dice);
std::vector<reference::Packet> random_packets(Dice& dice, const ebpfd::World& world, size_t count);

// Brings the lists into the order in which the agent has them.
void sort_objects(ebpfd::World& world);
// Anything that may change in a World; what stays is the same object.
void change_world(Dice& dice, ebpfd::World& world);

// Scenarios with one thing less, each still consistent.
std::vector<Scenario> smaller(const Scenario& scenario);

// Readable text, close to the YAML of the objects.
std::string describe(const ebpfd::World& world);
std::string describe(const reference::Packet& packet);
void showValue(const Scenario& scenario, std::ostream& out);

} // namespace property

template <> struct rc::Arbitrary<property::Scenario> {
    static rc::Gen<property::Scenario> arbitrary();
};
