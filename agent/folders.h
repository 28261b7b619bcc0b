// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config.h"
#include "decode.h"
#include "objects.h"
#include "source/watcher.h"
#include "view.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace ebpfd {

// All watched folders and what their files say.
class Folders {
public:
    // A folder that was named and is not there is an error; a default one may come later.
    static Result<Folders> watch(const WatchedDirs& policy, const WatchedDirs& inventory);

    std::vector<int> fds() const;
    // Takes in what has changed; returns whether anything has.
    bool collect();
    // Takes in all that lies there now, files that are still being written too.
    void rescan();

    ObjectStore::InForce in_force() const { return store_.in_force(); }
    std::vector<FileError> file_errors() const { return store_.errors(); }
    std::vector<std::string> notes() const { return store_.notes(); }
    std::vector<DirectoryView> views() const;

private:
    // The folders of one kind.
    struct Group {
        FolderKind kind;
        bool named = false;
        std::unique_ptr<DirectoryWatcher> watcher;
        std::string error;                  // of the watcher itself
        std::vector<DirectoryState> states; // as last seen
        // Files that went with their folder: what they said stays in force until the folder is
        // back and shows whether they are.
        std::set<std::string> lost;
    };
    Result<void> add(const WatchedDirs& dirs, FolderKind kind);
    bool take(Group& group, bool all);
    void settle_lost(Group& group);

    std::vector<Group> groups_;
    ObjectStore store_;
};

} // namespace ebpfd
