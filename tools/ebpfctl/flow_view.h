// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/clock.h"
#include "ebpfctl/peer_names.h"
#include "ebpfctl/rule_view.h"

namespace ebpfd::ctl {

// What turns an entry of flow_map into words.
struct FlowNames {
    const std::vector<LocalEndpoint>& locals;
    const PeerNames& peers;
    const Rules& rules;
    Moment now;
};

// What names a flow as long as it lives: sixteen hexadecimal digits made of its key.
std::string flow_id(const flow_key& key);
// The flow with the fields of an event, "id", and "opened" and "idle_seconds" for its time. Source
// is the side that opened the connection.
Json flow_row(const FlowNames& names, const flow_key& key, const flow& entry);

} // namespace ebpfd::ctl
