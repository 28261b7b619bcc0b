// SPDX-License-Identifier: Apache-2.0
#include "folders.h"

#include "base/memory.h"
#include "source/parse.h"
#include "valid_copy.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace ebpfd {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

// As the copies name it, wherever the next agent is started.
std::string lasting_path(const std::string& path)
{
    std::error_code error;
    const fs::path absolute = fs::absolute(path, error);
    return (error ? fs::path(path) : absolute).lexically_normal().string();
}

std::string lasting_folder(const std::string& folder)
{
    return fs::path(lasting_path(folder + "/any")).parent_path().string();
}

std::string folder_of(const std::string& path)
{
    return fs::path(path).parent_path().string();
}

Result<FileContent> content_of(const std::string& path,
                               const std::expected<std::string, FileError>& text, FolderKind kind)
{
    if (!text)
        return FileContent{.objects = {}, .errors = {text.error()}, .notes = {}};
    return unless_out_of_memory("parse", [&]() -> Result<FileContent> {
        const auto documents = parse_documents(*text, path);
        if (!documents)
            return FileContent{.objects = {}, .errors = {documents.error()}, .notes = {}};
        return decode_documents(*documents, kind);
    });
}

FileContent refused(const std::string& path, const Error& error)
{
    FileContent content;
    FileError& reason = content.errors.emplace_back();
    reason.origin.file = path;
    reason.reason = error.message;
    return content;
}

Result<void> check_named(const std::string& path, FolderKind kind)
{
    std::error_code error;
    if (fs::is_directory(path, error))
        return {};
    const auto name = name_of(kind);
    if (fs::exists(path, error))
        return fail(ENOTDIR, fmt::format("the {} folder {} is no folder", name, path));
    if (error == std::errc::permission_denied)
        return fail(EACCES, fmt::format("the {} folder {} cannot be reached: ebpfd gives up root's "
                                        "right to everybody's files (see PRIVILEGES in ebpfd(8)), "
                                        "so make it readable, or use --sandbox off",
                                        name, path));
    return fail(ENOENT, fmt::format("the {0} folder {1} does not exist: make it with mkdir -p, or "
                                    "name another with --{0}-dir",
                                    name, path));
}

bool operator==(const DirectoryState& one, const DirectoryState& other)
{
    return std::tie(one.files, one.error) == std::tie(other.files, other.error);
}

bool has_copies(const ValidTexts& texts, FolderKind kind, const std::string& folder)
{
    return std::ranges::any_of(texts.copies(), [&](const auto& entry) {
        return entry.first.first == kind && folder_of(entry.first.second) == folder;
    });
}

template <class T> void append(std::vector<T>& to, std::vector<T> from)
{
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

} // namespace

Result<Folders> Folders::watch(const WatchedDirs& policy, const WatchedDirs& inventory,
                               ValidTexts texts, bool in_force, std::shared_ptr<LookedAt> looked_at)
{
    Folders folders(std::move(texts), std::move(looked_at));
    for (const auto& [dirs, kind] :
         {std::pair(policy, FolderKind::policy), std::pair(inventory, FolderKind::inventory)}) {
        if (auto good = in_force ? Result<void>{} : folders.check(dirs, kind); !good)
            return std::unexpected(good.error());
        if (auto added = folders.add(dirs, kind); !added)
            return std::unexpected(added.error());
    }
    return folders;
}

Result<void> Folders::check(const WatchedDirs& dirs, FolderKind kind) const
{
    for (const auto& path : dirs.paths) {
        const LookedAt::Look look(looked_at_.get(), path);
        if (dirs.named && !has_copies(texts_, kind, lasting_folder(path)))
            if (auto good = check_named(path, kind); !good)
                return good;
    }
    return {};
}

Result<void> Folders::add(const WatchedDirs& dirs, FolderKind kind)
{
    auto watcher = DirectoryWatcher::create(dirs.paths, held_before(dirs, kind), looked_at_);
    if (!watcher)
        return fail(fmt::format("watch {} folders", name_of(kind)), watcher.error());
    Group group;
    group.kind = kind;
    group.named = dirs.named;
    group.watcher = std::move(*watcher);
    expect_copied(group);
    groups_.push_back(std::move(group));
    return {};
}

// Of a folder whose place is not known, no directory is the one that held its files.
DirectoryWatcher::Held Folders::held_before(const WatchedDirs& dirs, FolderKind kind) const
{
    DirectoryWatcher::Held held;
    for (const auto& path : dirs.paths) {
        const auto folder = lasting_folder(path);
        if (!has_copies(texts_, kind, folder))
            continue;
        const auto place = texts_.places().find({kind, folder});
        held[path] = place == texts_.places().end() ? DirectoryPlace{} : place->second;
    }
    return held;
}

// Every file that there is a copy of counts as lost until its folder has been looked at.
void Folders::expect_copied(Group& group)
{
    for (const auto& state : group.watcher->directories()) {
        const auto folder = lasting_folder(state.path);
        if (!texts_.places().contains({group.kind, folder}))
            group.unknown.insert(state.path);
        for (const auto& [key, copy] : texts_.copies())
            if (key.first == group.kind && folder_of(key.second) == folder)
                group.lost.insert(state.path + "/" + fs::path(key.second).filename().string());
    }
}

// Not before there is something else in force: a folder's name may have been a slip.
void Folders::drop_unwatched()
{
    std::set<ValidTexts::Key> watched;
    for (const auto& group : groups_)
        for (const auto& state : group.states)
            watched.emplace(group.kind, lasting_folder(state.path));
    std::vector<ValidTexts::Key> unwatched;
    for (const auto& [key, copy] : texts_.copies())
        if (!watched.contains({key.first, folder_of(key.second)}))
            unwatched.push_back(key);
    for (const auto& key : unwatched)
        texts_.drop(key);
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
    for (auto& group : groups_) {
        group.starved = false;
        take(group, true);
    }
}

bool Folders::starved() const
{
    return std::ranges::any_of(groups_, &Group::starved);
}

bool Folders::take(Group& group, bool all)
{
    const auto start = steady_clock::now();
    const auto processed = group.watcher->process();
    const auto error = processed ? std::string() : processed.error().message;
    auto changes = group.watcher->take_changes(all);
    times_.read += steady_clock::now() - start;
    for (auto& change : changes)
        take(group, std::move(change));
    auto states = group.watcher->directories();
    const bool changed = !changes.empty() || error != group.error ||
                         !std::ranges::equal(states, group.states, operator==);
    group.error = error;
    group.states = std::move(states);
    settle_lost(group);
    return changed;
}

void Folders::take(Group& group, FileChange change)
{
    if (change.gone) {
        group.lost.insert(change.path);
        return;
    }
    const auto start = steady_clock::now();
    auto parsed = content_of(change.path, change.text, group.kind);
    times_.parse += steady_clock::now() - start;
    if (!parsed) { // for want of memory, which may come
        group.watcher->give_again(change.path);
        group.starved = true;
    }
    auto content = parsed ? std::move(*parsed) : refused(change.path, parsed.error());
    if (content.errors.empty()) {
        texts_.keep({group.kind, lasting_path(change.path)}, std::move(*change.text));
        group.blind.erase(change.path);
    } else {
        restore(group, change.path);
    }
    group.store.set(change.path, std::move(content));
    group.lost.erase(change.path);
}

// Of a file that is broken or away since before the start.
void Folders::restore(Group& group, const std::string& path)
{
    if (group.store.knows(path))
        return;
    const ValidTexts::Key key{group.kind, lasting_path(path)};
    const bool copied = texts_.copies().contains(key);
    const auto text = texts_.text(key);
    if (!text) {
        if (copied || group.unknown.contains(folder_of(path)))
            group.blind.insert(path);
        return;
    }
    auto content = content_of(path, *text, group.kind);
    if (!content) {
        group.starved = true;
        return spdlog::error("what {} said before this start is not in force: {}", path,
                             content.error().message);
    }
    if (!content->errors.empty()) {
        group.blind.insert(path);
        return texts_.ignore(key, content->errors.front().reason);
    }
    spdlog::info("{} is in force as it was before this start", path);
    group.store.set(path, std::move(*content));
}

void Folders::settle_lost(Group& group)
{
    std::set<std::string> away;
    for (const auto& state : group.states)
        if (!state.error.empty() || state.returning)
            away.insert(state.path);
    std::erase_if(group.lost, [&](const std::string& path) {
        if (away.contains(folder_of(path))) {
            restore(group, path);
            return false;
        }
        group.store.remove(path);
        group.blind.erase(path);
        texts_.drop({group.kind, lasting_path(path)});
        return true;
    });
}

std::string Folders::doubt(FolderKind kind) const
{
    for (const auto& group : groups_) {
        if (group.kind != kind)
            continue;
        for (const auto& path : group.blind)
            return fmt::format("it is not known what {} said before this start, and it is broken "
                               "or away now",
                               path);
        for (const auto& state : group.states) {
            const bool tolerated = state.missing && !group.named;
            const bool unread = !state.error.empty() && !tolerated;
            const bool empty = state.files == 0 && !tolerated;
            if (group.unknown.contains(state.path) && (unread || empty))
                return fmt::format("it is not known what the {} folder {} held, and {}; should it "
                                   "be empty, put a file there, an empty none.yaml will do",
                                   name_of(kind), state.path,
                                   unread ? "it cannot be read" : "there is nothing in it now");
        }
    }
    return {};
}

bool Folders::has_lost(const Group& group, const std::string& folder)
{
    return std::ranges::any_of(group.lost,
                               [&](const auto& path) { return folder_of(path) == folder; });
}

void Folders::remember()
{
    if (!std::exchange(remembered_, true))
        drop_unwatched();
    ValidTexts::Places places;
    for (auto& group : groups_) {
        for (const auto& state : group.states) {
            const ValidTexts::Key key{group.kind, lasting_folder(state.path)};
            const auto before = texts_.places().find(key);
            if (state.error.empty() || !has_lost(group, state.path))
                places[key] = state.place;
            else if (before != texts_.places().end())
                places.insert(*before);
        }
        group.unknown.clear();
        group.blind.clear();
    }
    texts_.set_places(std::move(places));
}

// Each kind of folder has a store of its own, as one folder may be named for both, and each kind of
// object is read from one kind of folder alone.
ObjectStore::InForce Folders::in_force() const
{
    ObjectStore::InForce out;
    for (const auto& group : groups_) {
        auto own = group.store.in_force();
        append(out.duplicates, std::move(own.duplicates));
        if (group.kind == FolderKind::policy) {
            out.policies = std::move(own.policies);
            out.cluster_policies = std::move(own.cluster_policies);
            continue;
        }
        out.pods = std::move(own.pods);
        out.namespaces = std::move(own.namespaces);
        out.services = std::move(own.services);
        out.slices = std::move(own.slices);
        out.nodes = std::move(own.nodes);
    }
    return out;
}

std::vector<FileError> Folders::file_errors() const
{
    std::vector<FileError> out;
    for (const auto& group : groups_)
        for (auto& error : group.store.errors())
            if (std::ranges::find(out, error) == out.end())
                out.push_back(std::move(error));
    return out;
}

std::vector<std::string> Folders::notes() const
{
    std::vector<std::string> out;
    for (const auto& group : groups_)
        append(out, group.store.notes());
    return out;
}

std::vector<DirectoryView> Folders::views() const
{
    std::vector<DirectoryView> out;
    for (const auto& group : groups_)
        for (const auto& state : group.states) {
            const bool missed = has_lost(group, state.path);
            out.push_back(
                {.path = state.path,
                 .kind = std::string(name_of(group.kind)),
                 .files = state.files,
                 .error = state.error.empty() ? group.error : state.error,
                 .tolerated = state.missing && !group.named && !missed && group.error.empty()});
        }
    return out;
}

} // namespace ebpfd
