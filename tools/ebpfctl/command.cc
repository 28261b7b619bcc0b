// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/command.h"

#include <array>
#include <utility>

namespace ebpfd::ctl {
namespace {

constexpr std::pair<std::string_view, const char*> GROUPS[] = {
    {"endpoint", "Local pods and the rule sets in force for them"},
    {"policy", "Policies, their rules, and what they decide"},
    {"flow", "Connections of local pods"},
    {"stats", "Exact counters of the datapath"},
    {"map", "The pinned maps, with or without the agent"},
};

constexpr std::array COMMANDS{
    Command{"", "status", "Health, files with errors, hooks and capacities", define_status},
    Command{"endpoint", "list", "List local pods", define_endpoint_list},
    Command{"endpoint", "get", "Show one local pod", define_endpoint_get},
    Command{"policy", "list", "List policies", define_policy_list},
    Command{"policy", "get", "Show one policy", define_policy_get},
    Command{"policy", "validate", "Check files, without the agent", define_policy_validate},
    Command{"policy", "trace", "Ask the loaded program for its verdict", define_policy_trace},
    Command{"policy", "rules", "List a local pod's rules in their order", define_policy_rules},
    Command{"policy", "explain", "Show what applies to a pod, and who is allowed in the end",
            define_policy_explain},
    Command{"policy", "coverage", "Show which rules decide, and which never can",
            define_policy_coverage},
    Command{"policy", "impact", "Show what files would do to connections", define_policy_impact},
    Command{"policy", "suggest", "Make policies that allow what was seen", define_policy_suggest},
    Command{"flow", "list", "List connections", define_flow_list},
    Command{"flow", "get", "Show all that is known of a connection", define_flow_get},
    Command{"", "observe", "Show events as the datapath reports them", define_observe},
    Command{"stats", "pods", "Packets and bytes by pod and direction", define_stats_pods},
    Command{"stats", "rules", "Connections and refusals by rule", define_stats_rules},
    Command{"stats", "reasons", "Packets and bytes by pod and reason", define_stats_reasons},
    Command{"stats", "health", "TCP health by pod", define_stats_health},
    Command{"stats", "drops", "Packets that the kernel dropped, by pod and reason",
            define_stats_drops},
    Command{"stats", "loss", "What was not reported or did not fit", define_stats_loss},
    Command{"stats", "programs", "What our programs in the kernel take", define_stats_programs},
    Command{"map", "list", "List maps and how full they are", define_map_list},
    Command{"map", "dump", "Show a map's entries", define_map_dump},
    Command{"", "version", "Show the version", define_version},
    Command{"", "completion", "Print a shell's completion script", define_completion},
};

} // namespace

std::span<const Command> commands()
{
    return COMMANDS;
}

std::string group_description(std::string_view group)
{
    for (const auto& [name, description] : GROUPS)
        if (name == group)
            return description;
    return "";
}

} // namespace ebpfd::ctl
