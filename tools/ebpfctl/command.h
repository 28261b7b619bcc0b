// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/context.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <span>

namespace ebpfd::ctl {

// What a command does once its options are parsed.
using Action = std::function<Result<Exit>(const Context&)>;

// One subcommand: define adds its options and says what it does.
struct Command {
    const char* group; // "policy" of "policy list"; empty: it stands alone
    const char* name;
    const char* description;
    Action (*define)(CLI::App& app);
};

// The command table, in the order of --help.
std::span<const Command> commands();
std::string group_description(std::string_view group);

Action define_status(CLI::App& app);
Action define_endpoint_list(CLI::App& app);
Action define_endpoint_get(CLI::App& app);
Action define_policy_list(CLI::App& app);
Action define_policy_get(CLI::App& app);
Action define_policy_validate(CLI::App& app);
Action define_policy_rules(CLI::App& app);
Action define_policy_trace(CLI::App& app);
Action define_policy_explain(CLI::App& app);
Action define_policy_coverage(CLI::App& app);
Action define_policy_impact(CLI::App& app);
Action define_policy_suggest(CLI::App& app);
Action define_flow_list(CLI::App& app);
Action define_flow_get(CLI::App& app);
Action define_observe(CLI::App& app);
Action define_stats_pods(CLI::App& app);
Action define_stats_rules(CLI::App& app);
Action define_stats_reasons(CLI::App& app);
Action define_stats_health(CLI::App& app);
Action define_stats_drops(CLI::App& app);
Action define_stats_loss(CLI::App& app);
Action define_stats_programs(CLI::App& app);
Action define_map_list(CLI::App& app);
Action define_map_dump(CLI::App& app);
Action define_version(CLI::App& app);
Action define_completion(CLI::App& app);

} // namespace ebpfd::ctl
