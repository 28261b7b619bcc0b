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
    std::string name; // as the agent's query knows it: "from_pod"
    std::vector<std::string> values;
};

using Filters = std::vector<Filter>;

// Adds --pod, --from-pod … to the command. --type is for events alone.
std::shared_ptr<Filters> add_filters(CLI::App& app, bool events);

// Full pod and policy names, protocol names as ebpfd writes them, -n as one more filter;
// empty filters are left out. EINVAL for a value that can match nothing.
Result<Filters> complete(const Filters& filters, const Context& context);

// "&pod=a%2Fb&port=80".
std::string query_of(const Filters& filters);

// Whether a flow or event object passes all of them.
bool matches(const Filters& filters, const Json& event);

} // namespace ebpfd::ctl
