// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/report.h"

namespace ebpfd::ctl {

// A value as a person reads it: null and "" as "-", booleans as yes and no, lists with
// commas, one side of a flow as "namespace/pod:port" or "address:port".
std::string value_text(const Json& value);

// The member at a JSON pointer, or null.
const Json& member(const Json& row, const std::string& pointer);
// The string at a JSON pointer, or "".
std::string string_at(const Json& row, const std::string& pointer);

// "file:line" of a row with these fields; "-" without a file.
std::string place_text(const Json& row);
// "namespace/pod" of a row with these fields; "-" without a pod.
std::string pod_text(const Json& row);
// Of the rule in "enforced", if there is one: its policy, name and place.
std::string enforced_text(const Json& row);

// Red for what refuses or ails, green for what lets pass, yellow for what only would refuse.
Color color_of(std::string_view word);

Cell cell_of(const Json& row, const Column& column);

} // namespace ebpfd::ctl
