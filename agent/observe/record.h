// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/event.h"
#include "observe/names.h"

#include <cstdint>
#include <memory>
#include <string>

namespace ebpfd {

// A record of a ring with its names as they were when it was read. Small: what is said more
// than once is shared.
struct AttributedEvent {
    event raw{};
    int64_t time_ns = 0;                // since 1970, UTC
    std::shared_ptr<const PodName> pod; // nullptr, like the others: not known
    std::shared_ptr<const PodName> peer;
    std::shared_ptr<const RuleName> rule;
    std::shared_ptr<const RuleName> enforced_rule;  // as in struct flow
    std::shared_ptr<const std::string> drop_reason; // of the kernel's last drop
};

// clock_offset_ns: CLOCK_REALTIME less the datapath's clock.
AttributedEvent attribute(const event& raw, const Names& names, int64_t clock_offset_ns);

// One side of a connection, in the orientation in which it was opened.
struct Party {
    const PodName* name = nullptr; // nullptr: not known
    IpAddress address;
    uint16_t port = 0; // host byte order; 0: the protocol has none
};
struct Parties {
    Party source;
    Party destination;
};
Parties parties_of(const AttributedEvent& record);

// One line of JSON, with its end.
std::string to_json_line(const AttributedEvent& record);

} // namespace ebpfd
