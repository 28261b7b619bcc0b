// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/cli.h"
#include "fake_maps.h"

#include <map>
#include <sstream>

namespace ebpfd::ctl {

// ebpfctl over fake maps and a fake agent: what it printed, and its exit code.
class Tool {
public:
    MapContent maps;
    int maps_error = 0;                         // errno with which opening the maps fails
    int agent_error = ECONNREFUSED;             // for every path without an answer
    std::map<std::string, std::string> answers; // by path
    std::vector<std::string> lines;             // of every stream
    std::vector<std::string> asked;             // paths, in their order
    std::vector<std::string> posted;            // bodies, in their order
    std::vector<ProgramStatistics> programs;    // what the kernel says, one after the other
    int counting_error = 0;                     // errno with which the kernel refuses to count
    std::string out;
    std::string err;

    Exit run(const std::vector<std::string>& arguments);
    // Runs with -o json, expects exit code 0 and returns what was printed.
    Json json(std::vector<std::string> arguments);

    // Adds a pod with this ifindex, whose endpoint index is ifindex + 100.
    void add_pod(uint32_t ifindex, const std::string& pod_namespace, const std::string& pod,
                 const std::vector<std::string>& addresses, uint32_t ingress = RULESET_NONE,
                 uint32_t egress = RULESET_NONE);
    // Adds ingress rule 0 of the policy, from policies.yaml:7.
    void add_rule(uint32_t number, const std::string& policy_namespace, const std::string& policy,
                  rule_kind kind = RULE_NETWORK_POLICY);

private:
    Result<std::string> ask(const std::string& path);
};

} // namespace ebpfd::ctl
