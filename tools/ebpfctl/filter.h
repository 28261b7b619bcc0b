// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/context.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

namespace ebpfd::ctl {

// One filter: values of one name are ORed, filters of different names ANDed.
struct Filter {
    std::string name; // as the agent's query knows it: "from_pod", "not_port"
    std::vector<std::string> values;
};

using Filters = std::vector<Filter>;

// Adds --pod, --from-pod … to the command, and --not, which negates the one behind it. --type is
// for events alone.
std::shared_ptr<Filters> add_filters(CLI::App& app, bool events);

// "--not --port 53" as "--not-port 53", the form that add_filters() knows.
std::vector<std::string> attach_negations(const std::vector<std::string>& arguments);

// Full pod and policy names, verdict and protocol names as ebpfd writes them, -n as one more
// filter; empty filters are left out. EINVAL for a value that can match nothing.
Result<Filters> complete(const Filters& filters, const Context& context);

// "&pod=a%2Fb&port=80".
std::string query_of(const Filters& filters);

} // namespace ebpfd::ctl
