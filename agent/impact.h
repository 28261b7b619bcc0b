// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "api/server.h"
#include "routes.h"

namespace ebpfd {

// Answers POST /v1/policy/impact: {"files": [{"name", "text"}], "remove": [names]}. 200 with what
// they would do to connections, or with the files' errors; 404: there is nothing of a name to
// remove; 409: they would not fit.
HttpReply impact_reply(const Sources& sources, const HttpRequest& request);

} // namespace ebpfd
