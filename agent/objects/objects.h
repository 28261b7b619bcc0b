// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"
#include "model/objects.h"
#include "objects/in_force.h"

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace ebpfd {

struct Objects {
    std::vector<std::shared_ptr<const NetworkPolicy>> policies;
    std::vector<std::shared_ptr<const ClusterPolicy>> cluster_policies;
    std::vector<std::shared_ptr<const Pod>> pods;
    std::vector<std::shared_ptr<const Namespace>> namespaces;
    std::vector<std::shared_ptr<const Service>> services;
    std::vector<std::shared_ptr<const EndpointSlice>> slices;
    std::vector<std::shared_ptr<const Node>> nodes;
};

// What one file says. With errors it says nothing.
struct FileContent {
    Objects objects;
    std::vector<FileError> errors;
    std::vector<std::string> notes; // documents that were skipped, and why
};

// The objects of all files. What a file last validly said stays in force while it has errors;
// of objects with the same kind, namespace and name, that of the later file name counts.
class ObjectStore {
public:
    void set(const std::string& path, FileContent content);
    void remove(const std::string& path);
    bool knows(const std::string& path) const { return files_.contains(key_of(path)); }

    // The lists that did not change since the last call are the same ones.
    struct InForce {
        SharedList<std::shared_ptr<const NetworkPolicy>> policies;
        SharedList<std::shared_ptr<const ClusterPolicy>> cluster_policies;
        SharedList<std::shared_ptr<const Pod>> pods;
        SharedList<std::shared_ptr<const Namespace>> namespaces;
        SharedList<std::shared_ptr<const Service>> services;
        SharedList<std::shared_ptr<const EndpointSlice>> slices;
        SharedList<std::shared_ptr<const Node>> nodes;
        std::vector<std::string> duplicates; // each names both places
    };
    InForce in_force() const;
    std::vector<FileError> errors() const;
    std::vector<std::string> notes() const;

private:
    struct File {
        Objects objects; // of the last time without errors
        std::vector<FileError> errors;
        std::vector<std::string> notes;
    };
    using Key = std::pair<std::string, std::string>; // file name, path: the order of precedence
    static Key key_of(const std::string& path);
    void exchange(const Objects& before, const Objects& now);
    template <class T> void settle(KindInForce<T>& kind) const;

    std::map<Key, File> files_;
    // What is stale is gathered when it is read.
    mutable std::tuple<KindInForce<NetworkPolicy>, KindInForce<ClusterPolicy>, KindInForce<Pod>,
                       KindInForce<Namespace>, KindInForce<Service>, KindInForce<EndpointSlice>,
                       KindInForce<Node>>
        kinds_;
};

} // namespace ebpfd
