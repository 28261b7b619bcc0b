// SPDX-License-Identifier: Apache-2.0
#include "objects/objects.h"

#include <filesystem>
#include <fmt/format.h>
#include <unordered_map>

namespace ebpfd {
namespace {

template <class T> using List = std::vector<std::shared_ptr<const T>>;

std::string key_of(const NetworkPolicy& object)
{
    return object.key();
}
std::string key_of(const ClusterPolicy& object)
{
    return object.key();
}
std::string key_of(const Pod& object)
{
    return object.key();
}
std::string key_of(const Namespace& object)
{
    return object.name;
}
std::string key_of(const Service& object)
{
    return object.service_namespace + "/" + object.name;
}
std::string key_of(const EndpointSlice& object)
{
    return object.slice_namespace + "/" + object.name;
}
std::string key_of(const Node& object)
{
    return object.name;
}

std::string place(const Origin& origin)
{
    return fmt::format("{}:{}", origin.file, origin.line);
}

// Joins the lists of one kind, of files in their order of precedence.
template <class T> class Merge {
public:
    Merge(std::string_view kind, List<T>& out, std::vector<std::string>& duplicates)
        : kind_(kind), out_(out), duplicates_(duplicates)
    {
    }

    void add(const List<T>& objects)
    {
        for (const auto& object : objects) {
            const auto [entry, fresh] = places_.try_emplace(key_of(*object), out_.size());
            if (fresh) {
                out_.push_back(object);
                continue;
            }
            auto& earlier = out_[entry->second];
            duplicates_.push_back(fmt::format("{} {} stands twice: {} counts, {} does not", kind_,
                                              entry->first, place(object->origin),
                                              place(earlier->origin)));
            earlier = object;
        }
    }

private:
    std::string_view kind_;
    List<T>& out_;
    std::vector<std::string>& duplicates_;
    std::unordered_map<std::string, size_t> places_;
};

} // namespace

ObjectStore::Key ObjectStore::key_of(const std::string& path)
{
    return {std::filesystem::path(path).filename().string(), path};
}

void ObjectStore::set(const std::string& path, FileContent content)
{
    File& file = files_[key_of(path)];
    file.errors = std::move(content.errors);
    file.notes = std::move(content.notes);
    if (file.errors.empty())
        file.objects = std::move(content.objects);
}

void ObjectStore::remove(const std::string& path)
{
    files_.erase(key_of(path));
}

ObjectStore::InForce ObjectStore::in_force() const
{
    InForce out;
    Objects& all = out.objects;
    Merge policies("NetworkPolicy", all.policies, out.duplicates);
    Merge cluster_policies("cluster-wide policy", all.cluster_policies, out.duplicates);
    Merge pods("Pod", all.pods, out.duplicates);
    Merge namespaces("Namespace", all.namespaces, out.duplicates);
    Merge services("Service", all.services, out.duplicates);
    Merge slices("EndpointSlice", all.slices, out.duplicates);
    Merge nodes("Node", all.nodes, out.duplicates);
    for (const auto& [key, file] : files_) {
        policies.add(file.objects.policies);
        cluster_policies.add(file.objects.cluster_policies);
        pods.add(file.objects.pods);
        namespaces.add(file.objects.namespaces);
        services.add(file.objects.services);
        slices.add(file.objects.slices);
        nodes.add(file.objects.nodes);
    }
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
