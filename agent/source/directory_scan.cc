// SPDX-License-Identifier: Apache-2.0
#include "source/path_walk.h"
#include "source/watched_directory.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <set>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

// WatchedDirectory's look at the whole directory: watches first, then the list, so that what
// changes meanwhile gives an event.
namespace ebpfd {

namespace {

using Role = Subscription::Role;

constexpr uint32_t CONTENTS_MASK = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE |
                                   IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;
// A directory that is removed while somebody has it open gives no event of its own.
constexpr uint32_t PARENT_MASK = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM;

// How long ago the file was modified, if that is shorter than the quiet time; else nothing.
std::optional<std::chrono::nanoseconds> fresh_age(const struct stat& status)
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto modified = std::chrono::seconds(status.st_mtim.tv_sec) +
                          std::chrono::nanoseconds(status.st_mtim.tv_nsec);
    const auto age = std::chrono::duration_cast<std::chrono::nanoseconds>(now - modified);
    if (age < std::chrono::nanoseconds(0) || age >= WatchedDirectory::QUIET)
        return std::nullopt;
    return age;
}

} // namespace

DirectoryPlace WatchedDirectory::place() const
{
    struct statx status {};
    if (statx(AT_FDCWD, path_.c_str(), 0, STATX_INO | STATX_BTIME, &status) != 0)
        return {};
    DirectoryPlace place{.device = makedev(status.stx_dev_major, status.stx_dev_minor),
                         .inode = status.stx_ino};
    if ((status.stx_mask & STATX_BTIME) != 0)
        place.born_ns = status.stx_btime.tv_sec * 1'000'000'000 + status.stx_btime.tv_nsec;
    return place;
}

bool WatchedDirectory::has_moved() const
{
    return place() != looked_at_;
}

bool WatchedDirectory::says_nothing(const std::vector<Entry>& entries) const
{
    return entries.empty() && held_ && *held_ != looked_at_;
}

// Whoever brings a directory back may still be filling it: what it holds after the quiet time is
// one change.
void WatchedDirectory::come_back(Time now, bool at_once)
{
    returning_ = held_.has_value() && !at_once;
    if (returning_)
        schedule_rescan(now + QUIET);
}

void WatchedDirectory::rescan(Inotify& inotify, Time now, bool at_once)
{
    const bool was_away = !error_.empty();
    rescan_at_.reset();
    error_.clear();
    missing_ = false;
    looked_at_ = place();
    Inotify::Watches watches;
    auto entries = watch_and_list(inotify, watches);
    if (entries && says_nothing(*entries)) {
        error_ =
            "it is empty, and not the directory that its files were in: is a mount missing? If "
            "they are meant to be gone, put a file there, an empty none.yaml will do";
    } else if (entries) {
        if (was_away)
            come_back(now, at_once);
        for (const Entry& entry : *entries)
            if (entry.is_link)
                watch_link(inotify, watches, entry.name);
        compare(*entries, now, at_once);
    } else {
        error_ = entries.error().message;
        missing_ = entries.error().code == ENOENT;
        if (missing_ && held_)
            error_ += "; if its files are meant to be gone, make it again and put a file there, an "
                      "empty none.yaml will do";
        if (missing_)
            compare({}, now, at_once);
    }
    inotify.drop(watches_, watches);
    watches_ = std::move(watches);
}

Result<std::vector<WatchedDirectory::Entry>>
WatchedDirectory::watch_and_list(Inotify& inotify, Inotify::Watches& watches)
{
    const auto add = [&](const std::string& path, uint32_t mask, const std::string& name) {
        return inotify.add(path, mask, {index_, Role::path, name}, watches);
    };
    std::error_code failed;
    const auto real = walk_path(std::filesystem::absolute(path_, failed), add);
    if (!real)
        return std::unexpected(real.error());
    if (auto watched = inotify.add(*real, CONTENTS_MASK, {index_, Role::contents, ""}, watches);
        !watched)
        return std::unexpected(std::move(watched.error()));
    const std::filesystem::path place(*real);
    (void)add(place.parent_path(), PARENT_MASK, place.filename());

    const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(real->c_str()), closedir);
    if (!stream)
        return fail_errno("open " + path_);
    std::vector<Entry> entries;
    errno = 0;
    while (const dirent* entry = readdir(stream.get()))
        if (is_document_name(entry->d_name) && entry->d_type != DT_DIR)
            entries.push_back({entry->d_name, entry->d_type != DT_REG}); // unknown: as a link
    if (errno != 0)
        return fail_errno("read " + path_);
    return entries;
}

void WatchedDirectory::watch_link(Inotify& inotify, Inotify::Watches& watches,
                                  const std::string& name)
{
    const auto add = [&](const std::string& path, uint32_t mask, const std::string& child) {
        return inotify.add(path, mask, {index_, Role::path, child}, watches);
    };
    std::error_code unused;
    auto target = walk_path(std::filesystem::absolute(path_of(name), unused), add);
    Result<void> watched;
    if (target)
        watched =
            inotify.add(*target, IN_MODIFY | IN_CLOSE_WRITE, {index_, Role::target, name}, watches);
    else
        watched = std::unexpected(std::move(target.error()));
    // Other errors are the file's: reading it will say so.
    if (!watched && watched.error().code == ENOSPC)
        error_ = watched.error().message;
}

bool WatchedDirectory::differs(const Entry& entry, struct stat& status) const
{
    const auto known = given_.find(entry.name);
    if (stat(path_of(entry.name).c_str(), &status) != 0)
        return errno != ENOENT || known != given_.end() || entry.is_link;
    return known == given_.end() || !known->second.settled ||
           known->second.stamp != FileStamp::of(status);
}

// All that differ are due together: what one switch or overflow changed is one change.
void WatchedDirectory::compare(const std::vector<Entry>& entries, Time now, bool at_once)
{
    std::set<std::string> changed;
    for (const auto& [name, given] : given_)
        changed.insert(name); // until it is seen
    Time due = now;
    for (const Entry& entry : entries) {
        struct stat status {};
        if (!differs(entry, status)) {
            changed.erase(entry.name);
            continue;
        }
        changed.insert(entry.name);
        // A link's target is complete when the link is put in place.
        if (const auto age = fresh_age(status); age && !at_once && !entry.is_link)
            due = std::max(due, now + std::chrono::ceil<Clock::duration>(QUIET - *age));
    }
    for (const std::string& name : changed)
        if (at_once || returning_)
            awaited_[name] = due;
        else
            awaited_.emplace(name, due);
}

} // namespace ebpfd
