// SPDX-License-Identifier: Apache-2.0
#include "kernel/pins.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace ebpfd {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const std::string& folder)
{
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error))
        names.push_back(entry->path().filename().string());
    std::ranges::sort(names);
    return names;
}

Result<void> make_folder(const std::string& folder)
{
    const fs::path path(folder);
    std::error_code error;
    if (fs::is_directory(path, error))
        return {};
    if (path.has_parent_path() && path.parent_path() != path)
        if (auto made = make_folder(path.parent_path().string()); !made)
            return made;
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return fail_errno("make folder " + folder);
    return {};
}

Result<void> unpin(const std::string& path)
{
    if (unlink(path.c_str()) != 0 && errno != ENOENT)
        return fail_errno("remove " + path);
    return {};
}

Result<void> change_suffix(const std::string& folder, std::string_view from, std::string_view to)
{
    for (const auto& name : names_in(folder)) {
        if (!name.ends_with(from))
            continue;
        const std::string path = folder + "/" + name;
        const std::string place = path.substr(0, path.size() - from.size()) + std::string(to);
        if (rename(path.c_str(), place.c_str()) != 0)
            return fail_errno("pin " + place);
    }
    return {};
}

Result<void> remove_with_suffix(const std::string& folder, std::string_view suffix)
{
    for (const auto& name : names_in(folder))
        if (name.ends_with(suffix))
            if (auto removed = unpin(folder + "/" + name); !removed)
                return removed;
    return {};
}

Result<void> remove_folder(const std::string& folder)
{
    for (const auto& name : names_in(folder))
        if (auto removed = unpin(folder + "/" + name); !removed)
            return removed;
    if (rmdir(folder.c_str()) != 0 && errno != ENOENT)
        return fail_errno("remove " + folder);
    return {};
}

} // namespace ebpfd
