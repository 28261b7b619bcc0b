// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

// Requests to the agent over its unix socket. Error codes:
//   ECONNREFUSED  no agent answers there, or its socket is missing
//   EACCES        the caller may not use the socket
//   ENOENT        404: what was asked for does not exist
//   EINVAL        400: the agent does not understand the request
//   EFBIG         413: it is longer than the agent reads
//   ETIMEDOUT     504, or no answer in time
//   EIO           anything else, a connection that broke among them
// The message is the agent's own sentence where it gave one.
namespace ebpfd {

// path: of the request, with its query: "/v1/observe?follow=1&pod=a%2Fb". Returns the body.
Result<std::string> api_get(const std::string& socket_path, const std::string& path,
                            std::chrono::milliseconds timeout = std::chrono::seconds(10));
// body: JSON, or empty.
Result<std::string> api_post(const std::string& socket_path, const std::string& path,
                             const std::string& body,
                             std::chrono::milliseconds timeout = std::chrono::seconds(10));

// Calls line with every line of the answer, without its end, as it comes, until the agent
// ends the stream or line returns false: both are success. Waits as long as it takes.
Result<void> api_stream(const std::string& socket_path, const std::string& path,
                        const std::function<bool(std::string_view line)>& line);

// Text as it may stand in a query's value: everything but letters, digits and -_.~ as %XX.
std::string url_encode(std::string_view text);

} // namespace ebpfd
