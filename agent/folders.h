// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config.h"
#include "objects/decode.h"
#include "objects/objects.h"
#include "source/watcher.h"
#include "valid_texts.h"
#include "view.h"

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ebpfd {

// All watched folders and what their files say.
class Folders {
public:
    // A folder that was named and is not there is an error, unless there are copies of what its
    // files said, or an earlier agent's policy is in force; a default one may come later.
    // looked_at: told of each look, if it is given.
    static Result<Folders> watch(const WatchedDirs& policy, const WatchedDirs& inventory,
                                 ValidTexts texts, bool in_force = false,
                                 std::shared_ptr<LookedAt> looked_at = nullptr);

    std::vector<int> fds() const;
    // Takes in what has changed; returns whether anything has.
    bool collect();
    // Takes in all that lies there now, files that are still being written too. Comes first: a
    // file that is broken or away by then says what its copy says.
    void rescan();

    // Why what lies in folders of that kind may not be all: nothing is known of what one held
    // before, and it is empty or cannot be read; or of what a file said, and it is broken or away.
    // Empty: it is all.
    std::string doubt(FolderKind kind) const;
    // What was taken in is in force: the next agent goes by it, in case a folder is away then.
    void remember();

    // Whether there was not memory enough for a file: the next rescan reads it again.
    bool starved() const;

    ObjectStore::InForce in_force() const;
    std::vector<FileError> file_errors() const;
    std::vector<std::string> notes() const;
    std::vector<DirectoryView> views() const;
    // What taking in has cost since the last call.
    struct Times {
        std::chrono::nanoseconds read{};
        std::chrono::nanoseconds parse{};
    };
    Times take_times() { return std::exchange(times_, {}); }
    // The copies of what files say: for times when there is nothing else to do.
    ValidTexts& texts() { return texts_; }

private:
    // The folders of one kind.
    struct Group {
        FolderKind kind = FolderKind::policy;
        bool named = false;
        bool starved = false;
        std::unique_ptr<DirectoryWatcher> watcher;
        std::string error;                  // of the watcher itself
        std::vector<DirectoryState> states; // as last seen
        // Files that went with their folder, or before the start: what they said stays in force
        // until the folder is back and shows whether they are.
        std::set<std::string> lost;
        std::set<std::string> unknown; // folders that were never in force, as far as is known
        std::set<std::string> blind;   // files that say nothing now, nor is known what they said
        ObjectStore store;
    };
    static bool has_lost(const Group& group, const std::string& folder);
    Folders(ValidTexts texts, std::shared_ptr<LookedAt> looked_at)
        : texts_(std::move(texts)), looked_at_(std::move(looked_at))
    {
    }

    Result<void> check(const WatchedDirs& dirs, FolderKind kind) const;
    Result<void> add(const WatchedDirs& dirs, FolderKind kind);
    DirectoryWatcher::Held held_before(const WatchedDirs& dirs, FolderKind kind) const;
    void expect_copied(Group& group);
    void drop_unwatched();
    bool take(Group& group, bool all);
    void take(Group& group, FileChange change);
    void restore(Group& group, const std::string& path);
    void settle_lost(Group& group);

    ValidTexts texts_;
    std::shared_ptr<LookedAt> looked_at_;
    bool remembered_ = false; // once since the start
    std::vector<Group> groups_;
    Times times_;
};

} // namespace ebpfd
