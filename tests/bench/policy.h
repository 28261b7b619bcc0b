// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bench/cluster.h"
#include "bench/frame/run.h"
#include "lab/node.h"

#include <cstdint>
#include <map>
#include <string>

// Parts of the group "policy".
namespace bench {

// From a plan to the first packet that is judged by it, without files and without the agent's
// process.
void measure_applies(Run& run, const lab::Node& node, const Cluster& cluster);
// The same change by ebpfd and by the tools that load nftables, iptables and ipset.
void measure_rivals(Run& run);

// Two lists of addresses that have none in common, 0 and 1.
std::string block_address(int list, int number);
// Lets so many addresses of that list reach pod 0's workload.
std::string policy_of_blocks(int list, int count);
inline constexpr uint16_t block_port = 4'000;

// What the agent on a node has done since it started, as its metrics have it.
struct Stages {
    double changes = 0;                    // that were compiled
    std::map<std::string, double> seconds; // of each stage of them
};
Stages read_stages(const lab::Node& node);
inline constexpr const char* metrics_address = "127.0.0.1:9464"; // of that agent

} // namespace bench
