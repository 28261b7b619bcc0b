// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/flow_rows.h"

#include "ebpfctl/filter_match.h"
#include "ebpfctl/flow_view.h"

#include <algorithm>

namespace ebpfd::ctl {

Result<Json> flow_rows(const Context& context, const PinnedMaps& maps, const Filters& filters,
                       bool pending, const ExtendRow& extend)
{
    auto locals = local_endpoints(maps);
    if (!locals)
        return std::unexpected(locals.error());
    auto rules = maps.rules();
    if (!rules)
        return std::unexpected(rules.error());
    auto flows = maps.flows(pending);
    if (!flows)
        return std::unexpected(flows.error());
    std::ranges::sort(*flows, {}, [](const auto& entry) { return entry.second.opened_ns; });
    auto labels = asks_for_labels(filters) ? pod_labels(context) : PodLabels{};
    if (!labels)
        return std::unexpected(labels.error());
    PeerNames peers = peer_names(context, *locals);
    FlowNames names{*locals, peers, *rules, Moment::now()};
    Json rows = Json::array();
    for (const auto& [key, entry] : *flows) {
        Json row = flow_row(names, key, entry);
        if (!matches(filters, row, *labels))
            continue;
        if (extend)
            if (auto extended = extend(row, key, entry); !extended)
                return std::unexpected(extended.error());
        rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace ebpfd::ctl
