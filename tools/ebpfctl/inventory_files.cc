// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/inventory_files.h"

#include "ebpfctl/document_files.h"
#include "objects/decode.h"
#include "source/parse.h"
#include "source/read.h"

namespace ebpfd::ctl {
namespace {

FileError error_of(const std::string& path, std::string reason)
{
    FileError error{.origin = {}, .reason = std::move(reason)};
    error.origin.file = path;
    return error;
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
    ObjectStore store;
    for (const std::string& path : paths) {
        const auto files = document_files(path);
        if (!files) {
            result.errors.push_back(error_of(path, files.error().message));
            continue;
        }
        for (const std::string& file : *files)
            store.set(file, content_of(file));
    }
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
