// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"
#include "source/inotify.h"
#include "source/looked_at.h"
#include "source/watched_directory.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ebpfd {

// Watches directories for documents by inotify; nothing is polled. After each time that fd()
// is readable: process(), then take_changes(false).
class DirectoryWatcher {
public:
    // By path, the directory that held files when it was watched before.
    using Held = std::map<std::string, DirectoryPlace>;
    // A directory need not exist. fd() is readable at once: the first take_changes() gives
    // every file that there is. looked_at: told of each look, now and later.
    static Result<std::unique_ptr<DirectoryWatcher>>
    create(const std::vector<std::string>& directories, const Held& held = {},
           std::shared_ptr<LookedAt> looked_at = nullptr);

    // For epoll, level-triggered: readable when something happened or is due.
    int fd() const { return epoll_.get(); }

    // Takes note of what happened, without blocking. What the directories hold is not the
    // error's business: directories() and take_changes() tell of that.
    Result<void> process();

    // The files whose content changed since they were last given, and those that are complete
    // by now; by directory and name. all: looks at everything now, and does not wait for
    // files that are still being written.
    std::vector<FileChange> take_changes(bool all);

    // A file that was given and could not be used for want of something that may come: the next
    // take_changes(true) gives it again.
    void give_again(const std::string& path);

    std::vector<DirectoryState> directories() const;

private:
    using Time = WatchedDirectory::Time;

    DirectoryWatcher(Inotify inotify, std::shared_ptr<LookedAt> looked_at)
        : inotify_(std::move(inotify)), looked_at_(std::move(looked_at))
    {
    }

    Result<void> set_up();
    void look_at_once(WatchedDirectory& directory);
    Result<void> drain(Time now);
    void set_timer();

    Inotify inotify_;
    std::shared_ptr<LookedAt> looked_at_; // nullptr: nobody wants to know
    Fd timer_;
    Fd mounts_;
    Fd epoll_;
    std::vector<WatchedDirectory> directories_;
};

} // namespace ebpfd
