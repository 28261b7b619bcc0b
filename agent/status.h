// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "observe/metrics.h"
#include "view.h"

#include <optional>
#include <string>
#include <vector>

// The API's answers as JSON text: pure functions of the view.
namespace ebpfd {

// What stays the same while the agent runs.
struct AgentFacts {
    std::string version;
    std::string node_name;
    bool audit = false;
    int64_t started_ns = 0;
};

// flow_log: where there is one.
std::string status_json(const View& view, const AgentFacts& agent, const std::vector<Usage>& usage,
                        const std::optional<FlowLog::Counts>& flow_log = {});
std::string policies_json(const View& view);
// No value: there is no such policy.
std::optional<std::string> policy_json(const View& view, const std::string& policy_namespace,
                                       const std::string& name);
std::string pods_json(const View& view);

} // namespace ebpfd
