// SPDX-License-Identifier: Apache-2.0
#include "source/watched_directory.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <sys/inotify.h>

namespace ebpfd {

namespace {

int64_t realtime_ns()
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// A link that leads nowhere is a file in error, not one that is gone.
bool is_link(const std::string& path)
{
    struct stat status {};
    return lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

} // namespace

bool is_document_name(std::string_view name)
{
    return !name.starts_with('.') &&
           (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"));
}

WatchedDirectory::WatchedDirectory(size_t index, std::string path,
                                   std::optional<DirectoryPlace> held)
    : index_(index), path_(std::move(path)), held_(held)
{
    while (path_.size() > 1 && path_.ends_with('/'))
        path_.pop_back();
}

void WatchedDirectory::on_event(const Subscription& subscription, uint32_t mask,
                                const std::string& name, Time now)
{
    using enum Subscription::Role;
    const bool written = (mask & (IN_MODIFY | IN_CLOSE_WRITE)) != 0;
    if (subscription.role == contents) {
        if (is_document_name(name))
            on_file_event(mask, name, now);
        if (!error_.empty()) // it was empty, and may be what its files say by now
            schedule_rescan(now + SETTLE);
    } else if (subscription.role == target && written && name.empty()) {
        on_file_event(mask, subscription.name, now);
    } else if (!written && (name.empty() || name == subscription.name)) {
        schedule_rescan(now + SETTLE);
    }
}

void WatchedDirectory::on_file_event(uint32_t mask, const std::string& name, Time now)
{
    if ((mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
        struct stat status {};
        const bool there = lstat(path_of(name).c_str(), &status) == 0;
        if (there && S_ISLNK(status.st_mode))
            return schedule_rescan(now + SETTLE); // its target wants watches too
        const bool hard_link = there && status.st_nlink > 1;
        return await(name, (mask & IN_CREATE) != 0 && !hard_link ? now + QUIET : now);
    }
    if ((mask & IN_MODIFY) != 0)
        return await(name, now + QUIET);
    if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0)
        return await(name, now + SETTLE);
    if ((mask & IN_CLOSE_WRITE) != 0 || !awaited_.contains(name))
        await(name, now);
}

void WatchedDirectory::await(const std::string& name, Time due)
{
    awaited_[name] = rescan_at_ ? std::max(due, *rescan_at_) : due;
}

void WatchedDirectory::schedule_rescan(Time at)
{
    rescan_at_ = rescan_at_ ? std::min(at, *rescan_at_) : at;
}

bool WatchedDirectory::read_due(Time now, bool all)
{
    bool any = false;
    for (auto at = awaited_.begin(); at != awaited_.end();) {
        if (!all && at->second > now) {
            ++at;
            continue;
        }
        any = true;
        if (auto reading = read(at->first))
            read_.insert_or_assign(at->first, *std::move(reading));
        at = awaited_.erase(at);
    }
    return any;
}

// Nothing if there is no such file and none was given.
std::optional<WatchedDirectory::Reading> WatchedDirectory::read(const std::string& name) const
{
    // The file system's clock may lag behind by its tick, up to 10 ms.
    constexpr int64_t tick_ns = 20'000'000;
    const std::string path = path_of(name);
    const int64_t begun = realtime_ns();
    struct stat status {};
    const int failed = stat(path.c_str(), &status) == 0 ? 0 : errno;
    Reading reading;
    reading.gone = (failed == ENOENT && !is_link(path)) || (failed == 0 && S_ISDIR(status.st_mode));
    if (!reading.gone) {
        auto file = read_file(path);
        reading.gone = !file && file.error().code == ENOENT && !is_link(path);
        reading.given.stamp = file ? file->stamp : FileStamp::of(status);
        reading.given.settled = reading.given.stamp.changed_ns + tick_ns < begun;
        if (file) {
            reading.given.hash = std::hash<std::string>{}(file->text);
            reading.text = std::move(file->text);
        } else {
            reading.given.settled = reading.given.settled && file.error().code != ENOMEM;
            reading.given.error = file.error().message;
            reading.text = std::unexpected(FileError());
            reading.text.error().origin.file = path;
            reading.text.error().reason = file.error().message;
        }
    }
    if (reading.gone && !given_.contains(name) && !read_.contains(name))
        return std::nullopt;
    return reading;
}

void WatchedDirectory::put_back_waiting()
{
    if (rescan_at_) { // a switch: what was read may be half old, half new
        for (const auto& [name, reading] : read_)
            awaited_.emplace(name, *rescan_at_);
        return read_.clear();
    }
    std::erase_if(read_, [this](const auto& entry) { return awaited_.contains(entry.first); });
}

void WatchedDirectory::take_changes(std::vector<FileChange>& changes)
{
    for (auto& [name, reading] : read_) {
        const auto known = given_.find(name);
        if (reading.gone) {
            if (known == given_.end())
                continue;
            given_.erase(known);
            changes.push_back({path_of(name), true, {}});
            continue;
        }
        const bool same = known != given_.end() && known->second.error == reading.given.error &&
                          known->second.hash == reading.given.hash;
        given_.insert_or_assign(name, std::move(reading.given));
        if (!same)
            changes.push_back({path_of(name), false, std::move(reading.text)});
    }
    read_.clear();
    if (error_.empty())
        held_ = given_.empty() ? std::nullopt : std::optional(looked_at_);
    returning_ = returning_ && (rescan_at_ || !awaited_.empty());
}

bool WatchedDirectory::give_again(const std::string& path)
{
    const auto known =
        path.starts_with(path_ + "/") ? given_.find(path.substr(path_.size() + 1)) : given_.end();
    if (known == given_.end())
        return false;
    known->second.settled = false;
    known->second.error = "it was not taken";
    return true;
}

std::optional<WatchedDirectory::Time> WatchedDirectory::next_due() const
{
    std::optional<Time> due = rescan_at_;
    for (const auto& [name, at] : awaited_)
        due = due ? std::min(*due, at) : at;
    return due;
}

DirectoryState WatchedDirectory::state() const
{
    return {path_, given_.size(), error_, missing_, returning_, looked_at_};
}

} // namespace ebpfd
