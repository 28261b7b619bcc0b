// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "policy/rule_bits.h"

#include <map>
#include <vector>

namespace ebpfd {

// The ports as numbers; names are looked up among pod_ports, those it lacks are left out.
std::vector<PortSpan> resolve(const std::vector<PolicyPort>& ports,
                              const std::vector<NamedPort>& pod_ports);

bool has_named_port(const std::vector<PolicyPort>& ports);

// For the named ports among `ports`: each number that they have on some peer pod, and the
// peers that have it there. A block matches the pods with addresses inside, one by one, and
// nothing outside the cluster.
std::map<PortSpan, PeerSet> resolve_on_peers(const std::vector<PolicyPort>& ports,
                                             const PeerSet& peers, const Identities& identities);

} // namespace ebpfd
