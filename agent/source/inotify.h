// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace ebpfd {

// Who wants to know of what happens at a watched inode, and in which role it sees it.
struct Subscription {
    enum class Role : uint8_t {
        contents, // the watched directory itself: its files, by name
        path,     // a directory or link on the way, or where the way ends before its goal
        target,   // the file at which a link of that name ends
    };
    size_t directory = 0; // which of the watched directories
    Role role = Role::path;
    // contents: empty. path: the one name within it that matters, empty: only the inode
    // itself. target: the link's name.
    std::string name;

    auto operator<=>(const Subscription&) const = default;
};

// inotify, its watches shared: one inode has one watch, whoever subscribes to it.
class Inotify {
public:
    using Watches = std::set<std::pair<int, Subscription>>;
    // mask as in inotify_event; name is empty for an event of the inode itself.
    using Listener = std::function<void(const Subscription& subscription, uint32_t mask,
                                        const std::string& name)>;

    static Result<Inotify> create();

    int fd() const { return fd_.get(); }

    // Watches what lies at the path and adds the watch to the set. The set is its owner's.
    Result<void> add(const std::string& path, uint32_t mask, const Subscription& subscription,
                     Watches& watches);
    // Ends the watches of the first set that are not in the second.
    void drop(const Watches& old, const Watches& kept);

    // Tells of all events that are pending, at most one full queue. Gives whether events were
    // lost because the queue overflowed.
    Result<bool> drain(const Listener& listener);

private:
    explicit Inotify(Fd fd) : fd_(std::move(fd)) {}

    Fd fd_;
    std::map<int, std::set<Subscription>> subscriptions_; // by watch descriptor
};

} // namespace ebpfd
