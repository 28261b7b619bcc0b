// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "ebpfd/flow.h"
#include "kernel/map.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace ebpfd {

// The datapath's flow table, which is read in place: see ebpfd/flow.h. What is mapped of it into
// memory is so for as long as a call takes, so that its pages are nobody's resident memory.
class FlowTable {
public:
    static Result<FlowTable> open_pinned(const std::string& folder);

    // How many buckets a table has for so many flows. Half of their entries are spare, so that each
    // flow finds room in one of its two buckets.
    static uint32_t buckets_for(uint32_t flows);

    // For how many flows there is room, whoever they are.
    uint32_t capacity() const { return tags_.capacity() * FLOW_WAYS / 2; }

    using Visit = std::function<void(const flow_key& key, const flow& value)>;
    Result<void> for_each(const Visit& visit) const;
    Result<std::vector<std::pair<flow_key, flow>>> entries() const;
    Result<size_t> size() const;

    // Frees the entries that pick says, kept refusals among them (FLOW_ENTRY_REFUSED), which are no
    // flows. An entry that a packet changes meanwhile stays. gone: the flows that went.
    using Pick = std::function<bool(flow_class kind, const flow_key& key, const flow& value)>;
    Result<void> free_if(const Pick& pick, const Visit& gone) const;
    // By what the rule makes of how many flows there are.
    using Rule = std::function<Pick(size_t flows)>;
    Result<void> free_if(const Rule& rule, const Visit& gone) const;

private:
    RawMap tags_;
    RawMap entries_;
};

} // namespace ebpfd
