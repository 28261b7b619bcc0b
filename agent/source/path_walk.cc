// SPDX-License-Identifier: Apache-2.0
#include "source/path_walk.h"

#include <cerrno>
#include <deque>
#include <filesystem>
#include <limits.h>
#include <optional>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ebpfd {

namespace {

// A link that is replaced or removed gives IN_ATTRIB, for its link count, at once; a directory
// that is renamed IN_MOVE_SELF.
constexpr uint32_t SELF_MASK = IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF | IN_DONT_FOLLOW;
constexpr uint32_t APPEAR_MASK = IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;
// The next best to watching an inode that may not be read: what its directory sees of it.
constexpr uint32_t NAME_MASK = APPEAR_MASK | IN_ATTRIB | IN_MOVED_FROM | IN_DELETE;

using Components = std::deque<std::string>;

void push_front(Components& components, const std::filesystem::path& path)
{
    auto at = components.begin();
    for (const auto& component : path.relative_path())
        at = std::next(components.insert(at, component.string()));
}

Result<mode_t> mode_of(const std::string& path)
{
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0)
        return fail_errno(path);
    return status.st_mode;
}

Result<std::string> link_target(const std::string& path)
{
    std::string target(PATH_MAX, '\0');
    const ssize_t length = readlink(path.c_str(), target.data(), target.size());
    if (length < 0)
        return fail_errno(path);
    target.resize(static_cast<size_t>(length));
    return target;
}

// The mode of what lies in the directory under that name; if it is missing, the directory is
// watched for it.
Result<mode_t> look_up(const std::string& directory, const std::string& name,
                       const WatchStep& watch)
{
    const std::string path = (directory == "/" ? "" : directory) + "/" + name;
    auto watched = watch(path, SELF_MASK, "");
    if (!watched && watched.error().code == EACCES)
        watched = watch(directory, NAME_MASK, name);
    if (!watched && watched.error().code == ENOSPC)
        return std::unexpected(std::move(watched.error()));
    auto mode = mode_of(path);
    if (mode || mode.error().code != ENOENT)
        return mode;
    if (watched = watch(directory, APPEAR_MASK, name); !watched)
        return std::unexpected(std::move(watched.error()));
    mode = mode_of(path); // it may have appeared just before the watch
    if (mode)
        (void)watch(path, SELF_MASK, "");
    return mode;
}

} // namespace

Result<std::string> walk_path(const std::string& path, const WatchStep& watch)
{
    constexpr int most_links = 40; // as the kernel
    Components components;
    push_front(components, path);
    std::string here = "/";
    int links = 0;
    while (!components.empty()) {
        const std::string name = components.front();
        components.pop_front();
        if (name.empty() || name == ".")
            continue;
        if (name == "..") {
            here = std::filesystem::path(here).parent_path();
            continue;
        }
        auto mode = look_up(here, name, watch);
        if (!mode)
            return std::unexpected(std::move(mode.error()));
        const std::string next = (here == "/" ? "" : here) + "/" + name;
        if (!S_ISLNK(*mode)) {
            here = next;
            continue;
        }
        auto target = link_target(next);
        if (!target)
            return std::unexpected(std::move(target.error()));
        if (++links > most_links)
            return fail_errno(path, ELOOP);
        push_front(components, *target);
        if (target->starts_with('/'))
            here.assign(1, '/');
    }
    return here;
}

} // namespace ebpfd
