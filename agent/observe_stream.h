// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "api/server.h"
#include "observe/observer.h"

namespace ebpfd {

// Answers /v1/observe: follow=0|1, last=N, since=T, until=T (seconds before now, or RFC 3339) and
// filters. Without last and since: all of the past, or none of it when following.
StreamReply observe_stream(Observer& observer, const HttpRequest& request);

} // namespace ebpfd
