// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <functional>
#include <string>

namespace ebpfd {

// How to watch one inode on the way: the mask for inotify, and the name in it that matters.
using WatchStep =
    std::function<Result<void>(const std::string& path, uint32_t mask, const std::string& name)>;

// Goes along an absolute path, link by link, and watches each step before it looks beyond it,
// so that no change falls between. Gives the path without links where it ends. If something
// is missing, the directory in which it would appear is watched for it, and the error's code
// is ENOENT. Nothing needs polling: what changes where the path leads gives an event.
Result<std::string> walk_path(const std::string& path, const WatchStep& watch);

} // namespace ebpfd
