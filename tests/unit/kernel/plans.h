// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"

#include <cstdint>
#include <string>

// Plans by hand. Interfaces 900001 and up exist nowhere: their rows are written, and a warning
// says that nothing could be attached.
inline constexpr uint32_t WEB_INTERFACE = 900001;
inline constexpr uint32_t API_INTERFACE = 900002;

// Adds a rule and returns its index.
uint32_t add_rule(ebpfd::Plan& plan, const std::string& policy, uint16_t index);
// Adds an identity with one address and returns its index.
uint32_t add_identity(ebpfd::Plan& plan, const std::string& key, const std::string& address);
// Adds a rule set of the two rules, the first for an identity, a block and port 80/TCP, the second
// for everyone; returns its index.
uint32_t add_ruleset(ebpfd::Plan& plan, const std::string& key, uint32_t allow, uint32_t isolate,
                     uint32_t identity);
// Adds an endpoint with this rule set for ingress and none for egress.
void add_endpoint(ebpfd::Plan& plan, uint32_t ifindex, const std::string& pod, uint32_t ruleset);

// shop/web at 10.1.0.10, which web-policy lets shop/db at 10.1.0.20 reach.
ebpfd::Plan web_plan();
