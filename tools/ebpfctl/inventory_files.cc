// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/inventory_files.h"

#include "objects/decode.h"
#include "source/parse.h"
#include "source/read.h"
#include "source/watched_directory.h"

#include <algorithm>
#include <filesystem>

namespace ebpfd::ctl {
namespace {

namespace fs = std::filesystem;

FileError error_of(const std::string& path, std::string reason)
{
    FileError error{.origin = {}, .reason = std::move(reason)};
    error.origin.file = path;
    return error;
}

void add_files(const std::string& path, std::vector<std::string>& files,
               std::vector<FileError>& errors)
{
    std::error_code failed;
    if (!fs::is_directory(path, failed)) {
        files.push_back(path);
        return;
    }
    for (fs::directory_iterator entry(path, failed), end; !failed && entry != end;
         entry.increment(failed))
        if (is_document_name(entry->path().filename().string()) && !entry->is_directory())
            files.push_back(entry->path().string());
    if (failed)
        errors.push_back(error_of(path, failed.message()));
}

FileContent content_of(const std::string& file)
{
    FileContent content;
    const auto read = read_file(file);
    if (!read) {
        content.errors.push_back(error_of(file, read.error().message));
        return content;
    }
    const auto documents = parse_documents(read->text, file);
    if (documents)
        return decode_documents(*documents, FolderKind::inventory);
    content.errors.push_back(documents.error());
    return content;
}

} // namespace

InventoryRead read_inventory(const std::vector<std::string>& paths)
{
    InventoryRead result;
    std::vector<std::string> files;
    for (const std::string& path : paths)
        add_files(path, files, result.errors);
    ObjectStore store;
    for (const std::string& file : files)
        store.set(file, content_of(file));
    const auto errors = store.errors();
    result.errors.insert(result.errors.end(), errors.begin(), errors.end());
    auto objects = store.in_force();
    result.world.pods = std::move(objects.pods);
    result.world.namespaces = std::move(objects.namespaces);
    result.world.services = std::move(objects.services);
    result.world.slices = std::move(objects.slices);
    result.world.nodes = std::move(objects.nodes);
    return result;
}

} // namespace ebpfd::ctl
