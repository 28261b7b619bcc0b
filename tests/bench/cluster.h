// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/world.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bench {

// A cluster by formula, as one node of it sees it: pod N, namespace N and policy N are the same
// whenever they are asked for, as objects or as text. Its first pods are local; pods share their
// labels with others of their workload. Each policy is for one workload and lets in what is of tier
// "front" in the namespaces of one team, to one port.
struct Cluster {
    static constexpr uint32_t most_local = 250;

    uint32_t policies = 0;
    uint32_t pods = 0;

    uint32_t local_pods() const;
    uint32_t namespaces() const;

    // The pods of one namespace and workload: number 0, 1 ... of them.
    uint32_t pod_of(uint32_t space, uint32_t workload, uint32_t number = 0) const;
    ebpfd::Pod pod(uint32_t number) const;
    // team: whose namespace it is; its own is number % 10.
    ebpfd::Namespace space(uint32_t number, uint32_t team) const;
    ebpfd::Namespace space(uint32_t number) const { return space(number, number % teams); }
    // Policy N's text. It opens this port.
    std::string policy(uint32_t number, uint16_t port = open_port) const;

    // All of it but the interfaces; or with those of local pods numbered from 1, which exist
    // nowhere.
    ebpfd::World world() const;
    ebpfd::World world_with_interfaces() const;
    // Policies as files, and all that is in the inventory: what changes one by one has a file of
    // its own, the pods of other nodes stand together, a hundred in a file.
    std::map<std::string, std::string> policy_files() const;
    std::map<std::string, std::string> inventory_files() const;

    bool operator==(const Cluster&) const = default;

    static constexpr uint16_t open_port = 80;
    static constexpr uint32_t teams = 10;
    static constexpr uint32_t workloads = 20; // of a namespace; every other one of tier "front"
};

std::string yaml_of(const ebpfd::Pod& pod);
std::string yaml_of(const ebpfd::Namespace& space);
// As the agent reads it; throws what is wrong with it.
std::shared_ptr<const ebpfd::NetworkPolicy> read_policy(const std::string& yaml);

} // namespace bench
