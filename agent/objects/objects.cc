// SPDX-License-Identifier: Apache-2.0
#include "objects/objects.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace ebpfd {
namespace {

template <class T> const std::vector<std::shared_ptr<const T>>& list_of(const Objects& objects)
{
    const auto lists =
        std::tie(objects.policies, objects.cluster_policies, objects.pods, objects.namespaces,
                 objects.services, objects.slices, objects.nodes);
    return std::get<const std::vector<std::shared_ptr<const T>>&>(lists);
}

} // namespace

ObjectStore::Key ObjectStore::key_of(const std::string& path)
{
    return {std::filesystem::path(path).filename().string(), path};
}

void ObjectStore::exchange(const Objects& before, const Objects& now)
{
    std::apply(
        [&]<class... T>(KindInForce<T>&... kinds) {
            (kinds.exchange(list_of<T>(before), list_of<T>(now)), ...);
        },
        kinds_);
}

void ObjectStore::set(const std::string& path, FileContent content)
{
    File& file = files_[key_of(path)];
    file.errors = std::move(content.errors);
    file.notes = std::move(content.notes);
    if (!file.errors.empty())
        return;
    exchange(file.objects, content.objects);
    file.objects = std::move(content.objects);
}

void ObjectStore::remove(const std::string& path)
{
    const auto file = files_.find(key_of(path));
    if (file == files_.end())
        return;
    exchange(file->second.objects, {});
    files_.erase(file);
}

template <class T> void ObjectStore::settle(KindInForce<T>& kind) const
{
    if (!kind.is_stale())
        return;
    std::vector<const std::vector<std::shared_ptr<const T>>*> lists;
    for (const auto& [key, file] : files_)
        lists.push_back(&list_of<T>(file.objects));
    kind.gather(lists);
}

ObjectStore::InForce ObjectStore::in_force() const
{
    std::vector<std::string> duplicates;
    const auto list = [&](auto& kind) {
        settle(kind);
        std::ranges::copy(kind.duplicates(), std::back_inserter(duplicates));
        return kind.list();
    };
    auto& [policies, cluster_policies, pods, namespaces, services, slices, nodes] = kinds_;
    InForce out{.policies = list(policies),
                .cluster_policies = list(cluster_policies),
                .pods = list(pods),
                .namespaces = list(namespaces),
                .services = list(services),
                .slices = list(slices),
                .nodes = list(nodes),
                .duplicates = {}};
    out.duplicates = std::move(duplicates);
    return out;
}

std::vector<FileError> ObjectStore::errors() const
{
    std::vector<FileError> out;
    for (const auto& [key, file] : files_)
        out.insert(out.end(), file.errors.begin(), file.errors.end());
    return out;
}

std::vector<std::string> ObjectStore::notes() const
{
    std::vector<std::string> out;
    for (const auto& [key, file] : files_)
        out.insert(out.end(), file.notes.begin(), file.notes.end());
    return out;
}

} // namespace ebpfd
