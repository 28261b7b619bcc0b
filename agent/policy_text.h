// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"

#include <string>
#include <vector>

// Parts of a policy as a person reads them.
namespace ebpfd {

// "app=web,tier in (a,b),!old", or "all" for an empty selector.
std::string selector_text(const Selector& selector);
// "pods app=web in namespaces team=sales".
std::string subject_text(const ClusterPolicy& policy);
// One text for each peer, or "everyone"; for each port, or "every port".
std::vector<std::string> peer_texts(const PolicyRule& rule);
std::vector<std::string> port_texts(const PolicyRule& rule);

} // namespace ebpfd
