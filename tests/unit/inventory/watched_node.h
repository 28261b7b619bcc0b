// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "inventory/interfaces.h"
#include "lab/netns.h"

#include <functional>
#include <gtest/gtest.h>
#include <optional>
#include <string>

// A node's network namespace with pods' beside it, and a watcher inside the node's.
class WatchedNode : public testing::Test {
protected:
    void SetUp() override;
    void start_watching();

    lab::NetNamespace make_namespace(std::string_view role);
    // Lines of "ip -batch" inside of the namespace.
    void ip(const lab::NetNamespace& where, const std::string& batch);
    void on_node(const std::string& batch) { ip(*node_, batch); }

    // Takes in notifications until the condition holds; false after ten seconds.
    bool eventually(const std::function<bool()>& condition);
    // Takes in all that is waiting.
    void settle();

    const ebpfd::InterfaceTable& table() const { return watcher_->table(); }
    const ebpfd::Link* link(std::string_view name) const;
    bool peer_has(std::string_view name, std::string_view address) const;
    bool has_own(std::string_view address) const;
    bool has_route(std::string_view destination, std::string_view interface) const;

    std::optional<lab::NetNamespace> node_;
    std::optional<ebpfd::InterfaceWatcher> watcher_;
};
