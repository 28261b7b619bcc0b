// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <cerrno>

namespace ebpfd::ctl {

// What scripts count on.
enum class Exit : int {
    ok = 0,
    error = 1,
    usage = 2,
    not_found = 3,
    unreachable = 4,
    permission = 5,
    degraded = 6,
    denied = 10, // policy trace --exit-code, policy impact --exit-code
};

inline Exit exit_of(const Error& error)
{
    switch (error.code) {
    case EINVAL:
        return Exit::usage;
    case ENOENT:
        return Exit::not_found;
    case ECONNREFUSED:
        return Exit::unreachable;
    case EACCES:
    case EPERM:
        return Exit::permission;
    default:
        return Exit::error;
    }
}

} // namespace ebpfd::ctl
