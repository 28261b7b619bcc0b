// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"

#include <functional>
#include <string>
#include <string_view>

namespace lab {

// A network namespace of our own with a unique name, removed with this object.
class NetNamespace {
public:
    // role ends its name: "lab-PID-N-web".
    static ebpfd::Result<NetNamespace> create(std::string_view role);
    NetNamespace(NetNamespace&&) = default;
    NetNamespace& operator=(NetNamespace&&) = default;
    ~NetNamespace();

    const std::string& name() const { return name_; }
    std::string path() const;

    // Runs the function on a thread inside. Sockets opened there stay inside.
    void enter(const std::function<void()>& function) const;
    // Lines as `ip -batch` takes them, in one go.
    ebpfd::Result<void> ip(const std::string& batch) const;
    // Sets net.KEY to value inside; key with slashes: "ipv4/ip_forward".
    ebpfd::Result<void> sysctl(std::string_view key, std::string_view value) const;

private:
    NetNamespace() = default;
    std::string name_;
    ebpfd::Fd fd_; // set: the namespace is ours to remove
};

// Removes namespaces that a killed test run left behind.
void remove_leftovers();

} // namespace lab
