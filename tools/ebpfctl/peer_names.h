// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/local_endpoint.h"

#include <map>

namespace ebpfd::ctl {

// Which pod has an address.
using PeerNames = std::map<IpAddress, ObjectName>;

// Local pods, and all others if the agent answers; without it their addresses stay numbers.
PeerNames peer_names(const Context& context, const std::vector<LocalEndpoint>& locals);

// "namespace", "pod" and "ip" of one side of a connection.
Json peer_fields(const PeerNames& names, const IpAddress& address);

} // namespace ebpfd::ctl
