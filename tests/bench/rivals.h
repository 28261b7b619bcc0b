// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "lab/node.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bench {

inline constexpr uint16_t open_port = 7000;
inline constexpr uint16_t closed_port = 9;     // by the server's policy
inline constexpr uint16_t forbidden_port = 10; // by the client's own, where pods have policies

// Who may reach a pod: each from one address, to one port of one protocol; nobody else.
struct Allowed {
    std::string address;
    std::string protocol; // "tcp" or "udp"
    uint16_t port = 0;
};

// A way to let the node's pod "server" be reached by those alone, or, as a base, by all. On the
// node's side; holds as long as what enforce() returns lives.
struct Rival {
    const char* name;
    bool refuses; // what is not allowed
    std::shared_ptr<void> (*enforce)(const lab::Node& node, const std::vector<Allowed>& allowed);
    // How it is changed, and milliseconds until that is in force; null: it is not compared.
    // enforcement: what enforce() returned. now and next differ in whether the client is allowed.
    const char* change_name = nullptr;
    double (*change)(const lab::Node& node, const std::shared_ptr<void>& enforcement,
                     const std::vector<Allowed>& now, const std::vector<Allowed>& next) = nullptr;
};

inline constexpr const char* no_policy = "no policy";

const std::vector<Rival>& rivals();

} // namespace bench
