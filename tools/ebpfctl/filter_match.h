// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/filter.h"

#include <map>

namespace ebpfd::ctl {

// The labels of pods, by "namespace/name".
using PodLabels = std::map<std::string, std::map<std::string, std::string>>;

bool asks_for_labels(const Filters& filters);
// As the agent knows them; it has to answer.
Result<PodLabels> pod_labels(const Context& context);

// Whether a flow object passes all of them.
bool matches(const Filters& filters, const Json& flow, const PodLabels& labels);

} // namespace ebpfd::ctl
