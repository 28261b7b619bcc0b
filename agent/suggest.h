// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "api/server.h"
#include "routes.h"

namespace ebpfd {

// Answers GET /v1/policy/suggest: namespace=, workload= and isolate=0|1. 200 with policies that are
// proven to cut none of the connections they were made from; 404: no pod of that namespace or
// workload is on this node; 409: what was made would cut one, which the error names.
HttpReply suggest_reply(const Sources& sources, const HttpRequest& request);

} // namespace ebpfd
