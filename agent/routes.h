// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "api/server.h"
#include "config.h"
#include "observe/flow_log.h"
#include "observe/metrics.h"
#include "observe/observer.h"
#include "rescan_desk.h"
#include "status.h"
#include "tables.h"
#include "totals.h"
#include "view.h"

#include <vector>

namespace ebpfd {

// What the API's threads answer from; outlives the servers.
struct Sources {
    const Config& config;
    const AgentFacts& agent;
    const Noticeboard& board;
    RescanDesk& rescans;
    Observer& observer;
    const FlowLog* flow_log; // nullptr: none is wanted
    Totals& totals;
    const ApplyMetrics& applies;
};

// Of the unix socket: /v1/….
std::vector<HttpRoute> socket_routes(const Sources& sources);
// Of --metrics-listen: /metrics, /healthz, /readyz.
std::vector<HttpRoute> metrics_routes(const Sources& sources);

} // namespace ebpfd
