// SPDX-License-Identifier: Apache-2.0
#include "folders.h"

#include "source/parse.h"

#include <filesystem>
#include <fmt/format.h>

namespace ebpfd {
namespace {

std::string_view kind_name(FolderKind kind)
{
    return kind == FolderKind::policy ? "policy" : "inventory";
}

FileContent content_of(const FileChange& change, FolderKind kind)
{
    if (!change.text)
        return {.objects = {}, .errors = {change.text.error()}, .notes = {}};
    const auto documents = parse_documents(*change.text, change.path);
    if (!documents)
        return {.objects = {}, .errors = {documents.error()}, .notes = {}};
    return decode_documents(*documents, kind);
}

Result<void> check_named(const std::string& path, FolderKind kind)
{
    std::error_code error;
    if (std::filesystem::is_directory(path, error))
        return {};
    const auto name = kind_name(kind);
    if (std::filesystem::exists(path, error))
        return fail(ENOTDIR, fmt::format("the {} folder {} is no folder", name, path));
    return fail(ENOENT, fmt::format("the {0} folder {1} does not exist: make it with mkdir -p, or "
                                    "name another with --{0}-dir",
                                    name, path));
}

bool operator==(const DirectoryState& one, const DirectoryState& other)
{
    return std::tie(one.files, one.error) == std::tie(other.files, other.error);
}

} // namespace

Result<Folders> Folders::watch(const WatchedDirs& policy, const WatchedDirs& inventory)
{
    Folders folders;
    if (auto added = folders.add(policy, FolderKind::policy); !added)
        return std::unexpected(added.error());
    if (auto added = folders.add(inventory, FolderKind::inventory); !added)
        return std::unexpected(added.error());
    return folders;
}

Result<void> Folders::add(const WatchedDirs& dirs, FolderKind kind)
{
    for (const auto& path : dirs.paths)
        if (auto good = dirs.named ? check_named(path, kind) : Result<void>(); !good)
            return good;
    auto watcher = DirectoryWatcher::create(dirs.paths);
    if (!watcher)
        return fail(fmt::format("watch {} folders", kind_name(kind)), watcher.error());
    groups_.push_back({.kind = kind,
                       .named = dirs.named,
                       .watcher = std::move(*watcher),
                       .error = {},
                       .states = {},
                       .lost = {}});
    return {};
}

std::vector<int> Folders::fds() const
{
    std::vector<int> out;
    for (const auto& group : groups_)
        out.push_back(group.watcher->fd());
    return out;
}

bool Folders::collect()
{
    bool changed = false;
    for (auto& group : groups_)
        changed = take(group, false) || changed;
    return changed;
}

void Folders::rescan()
{
    for (auto& group : groups_)
        take(group, true);
}

bool Folders::take(Group& group, bool all)
{
    const auto processed = group.watcher->process();
    const auto error = processed ? std::string() : processed.error().message;
    const auto changes = group.watcher->take_changes(all);
    for (const auto& change : changes) {
        if (change.gone) {
            group.lost.insert(change.path);
            continue;
        }
        store_.set(change.path, content_of(change, group.kind));
        group.lost.erase(change.path);
    }
    auto states = group.watcher->directories();
    const bool changed = !changes.empty() || error != group.error ||
                         !std::ranges::equal(states, group.states, operator==);
    group.error = error;
    group.states = std::move(states);
    settle_lost(group);
    return changed;
}

void Folders::settle_lost(Group& group)
{
    std::set<std::string> unreadable;
    for (const auto& state : group.states)
        if (!state.error.empty())
            unreadable.insert(state.path);
    std::erase_if(group.lost, [&](const std::string& path) {
        if (unreadable.contains(std::filesystem::path(path).parent_path().string()))
            return false;
        store_.remove(path);
        return true;
    });
}

std::vector<DirectoryView> Folders::views() const
{
    std::vector<DirectoryView> out;
    for (const auto& group : groups_)
        for (const auto& state : group.states)
            out.push_back({.path = state.path,
                           .kind = std::string(kind_name(group.kind)),
                           .files = state.files,
                           .error = state.error.empty() ? group.error : state.error,
                           .tolerated = state.missing && !group.named && group.error.empty()});
    return out;
}

} // namespace ebpfd
