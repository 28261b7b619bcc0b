// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"
#include "source/inotify.h"
#include "source/read.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// What became of one file: its text, why it cannot be read, or that it is gone.
struct FileChange {
    std::string path; // the directory as it was given, and the name
    bool gone = false;
    std::expected<std::string, FileError> text; // of a file that is not gone
};

// Which directory it is, whatever path leads there: what is mounted there, or made anew, has
// another device, number or time of birth. All zero: none.
struct DirectoryPlace {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t born_ns = 0; // 0 where the file system does not know
    bool operator==(const DirectoryPlace&) const = default;
};

struct DirectoryState {
    std::string path;
    size_t files = 0;       // those that there are, the ones in error included
    std::string error;      // why it cannot be watched or read; empty: it can
    bool missing = false;   // it does not exist; error says so too
    bool returning = false; // it was away, and not all that it holds is read yet
    DirectoryPlace place;   // as of the last look
};

// Whether the agent reads files of that name: .yaml, .yml or .json, not hidden.
bool is_document_name(std::string_view name);

// The files of one directory: which of them await reading and when, and what was given of
// each. It is told of events and of the time; it never waits.
class WatchedDirectory {
public:
    using Clock = std::chrono::steady_clock;
    using Time = Clock::time_point;

    // A file written in place counts as complete when it was not modified for so long.
    static constexpr std::chrono::milliseconds QUIET{200};
    // What vanishes or is switched by a link is looked at so much later: an editor puts a new
    // file in place, a kubelet adds and removes the names that belong to a switch.
    static constexpr std::chrono::milliseconds SETTLE{20};

    // index: the number under which its subscriptions name it. held: the directory that held
    // its files when it was watched before, if there were any.
    WatchedDirectory(size_t index, std::string path, std::optional<DirectoryPlace> held);

    void on_event(const Subscription& subscription, uint32_t mask, const std::string& name,
                  Time now);
    // Looks at the whole directory at that time, or earlier if that was asked for.
    void schedule_rescan(Time at);
    bool rescan_is_due(Time now) const { return rescan_at_ && *rescan_at_ <= now; }
    // Renews all watches and finds the files that differ from what was given; at_once: those
    // still being written are not waited for.
    void rescan(Inotify& inotify, Time now, bool at_once);

    // Whether the path leads to another directory than the last look found: mounts come and go
    // without an event for those who watch.
    bool has_moved() const;
    // Reads the files whose time has come, or all that await it, and gives whether any did.
    bool read_due(Time now, bool all);
    // Forgets what was just read of files that must be waited for again.
    void put_back_waiting();
    // What was read and differs from what was given.
    void take_changes(std::vector<FileChange>& changes);

    const std::string& path() const { return path_; } // as it was given
    // The next look gives the file as if it had changed. Whether it is one of this directory.
    bool give_again(const std::string& path);
    // When something is to be done here, if nothing happens before.
    std::optional<Time> next_due() const;
    DirectoryState state() const;

private:
    struct Given {
        FileStamp stamp;
        bool settled = false; // else the stamp may hold for a later content as well
        size_t hash = 0;
        std::string error; // empty: its text was given
    };
    struct Reading {
        Given given;
        bool gone = false;
        std::expected<std::string, FileError> text;
    };
    struct Entry {
        std::string name;
        bool is_link = false;
    };

    void on_file_event(uint32_t mask, const std::string& name, Time now);
    void await(const std::string& name, Time due);
    Result<std::vector<Entry>> watch_and_list(Inotify& inotify, Inotify::Watches& watches);
    void watch_link(Inotify& inotify, Inotify::Watches& watches, const std::string& name);
    // Another directory than the one that held the files, and empty, is no word on them: it may
    // be what a missing mount has left.
    bool says_nothing(const std::vector<Entry>& entries) const;
    void come_back(Time now, bool at_once);
    void compare(const std::vector<Entry>& entries, Time now, bool at_once);
    bool differs(const Entry& entry, struct stat& status) const;
    std::optional<Reading> read(const std::string& name) const;
    DirectoryPlace place() const;
    std::string path_of(const std::string& name) const { return path_ + "/" + name; }

    size_t index_;
    std::string path_;
    std::string error_;
    bool missing_ = false;
    bool returning_ = false;
    DirectoryPlace looked_at_;           // by the last look
    std::optional<DirectoryPlace> held_; // the files; none: there were none
    Inotify::Watches watches_;
    std::optional<Time> rescan_at_;
    std::map<std::string, Time> awaited_;
    std::map<std::string, Reading> read_;
    std::map<std::string, Given> given_;
};

} // namespace ebpfd
