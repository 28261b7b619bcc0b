// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/report.h"

namespace ebpfd::ctl {

// TIME source -> destination direction type verdict (policy rule file:line) PROTOCOL. Wide adds
// the state and the traffic.
std::vector<Cell> event_line(const Json& event, bool wide);

} // namespace ebpfd::ctl
