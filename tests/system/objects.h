// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "lab/node.h"

#include <map>
#include <string>
#include <vector>

namespace system_test {

// A pod as the inventory describes it; flow-style YAML where text is free.
struct PodObject {
    std::string pod_namespace;
    std::string name;
    std::string labels; // "{app: web}"
    std::vector<std::string> addresses;
    std::string phase = "Running";
    std::string node = "node-1";
    std::string ports = "[]"; // of its container
    std::string annotations = "{}";
    std::string created = "2024-05-01T10:00:00Z";
    bool host_network = false;
};

struct PolicyFile {
    std::string name; // of the file
    std::string text;
};

// The inventory of a node: what `kubectl get pods,namespaces` would print.
class Inventory {
public:
    // shop/web, shop/db, ops/api and ops/scan of the node; namespaces {team: sales}, {team: ops}.
    static Inventory of(const lab::Node& node);
    PodObject& pod(const std::string& name) { return pods_.at(name); }
    void add(const PodObject& pod) { pods_[pod.name] = pod; }
    void remove(const std::string& name) { pods_.erase(name); }
    void set_namespace(const std::string& name, const std::string& labels);
    void forget_namespace(const std::string& name) { namespaces_.erase(name); }
    // Any other object, such as a Service.
    void add_object(const std::string& yaml) { others_.push_back(yaml); }
    std::string yaml() const;

private:
    std::map<std::string, PodObject> pods_;
    std::map<std::string, std::string> namespaces_;
    std::vector<std::string> others_;
};

// A NetworkPolicy called NAMESPACE/NAME in a file of its own; spec as flow-style YAML, which
// stands in line 4.
PolicyFile policy(const std::string& name, const std::string& spec);
// shop/db is reached at this TCP port alone.
PolicyFile db_allows(int port);

} // namespace system_test
