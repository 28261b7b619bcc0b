// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/context.h"
#include "model/names.h"

#include <array>
#include <cstring>
#include <vector>

namespace ebpfd::ctl {

// A local pod as the pinned maps tell it.
struct LocalEndpoint {
    uint32_t ifindex = 0;
    uint32_t index = 0;
    ObjectName name; // empty while the pod is not known
    std::string interface;
    std::vector<IpAddress> addresses;
    std::array<uint32_t, DIRECTION_COUNT> ruleset{}; // in force
};

// All of them, by namespace and name.
Result<std::vector<LocalEndpoint>> local_endpoints(const PinnedMaps& maps);
// Those that -n and -A let be listed.
Result<std::vector<LocalEndpoint>> shown_endpoints(const PinnedMaps& maps, const Context& context);
// The one of that name; ENOENT if there is none.
Result<LocalEndpoint> find_endpoint(const PinnedMaps& maps, const ObjectName& name);

// Its "namespace" and "pod".
Json name_fields(const ObjectName& name);
// "none", "closed" or the rule set's number.
std::string ruleset_text(uint32_t ruleset);

} // namespace ebpfd::ctl
