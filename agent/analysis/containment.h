// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"

// Whether one part of a policy certainly matches all that another one does, whatever pods there
// are. "No" may mean that it cannot be told.
namespace ebpfd {

bool contains(const Selector& outer, const Selector& inner);
// Of peers without namespaces: in the same namespace.
bool contains(const PolicyPeer& outer, const PolicyPeer& inner);
bool contains(const PolicyPort& outer, const PolicyPort& inner);
// By peers and ports; not by action.
bool contains(const PolicyRule& outer, const PolicyRule& inner);

} // namespace ebpfd
