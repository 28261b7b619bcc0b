// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/endpoint.h"
#include "ebpfd/identity.h"
#include "ebpfd/ruleset.h"
#include "model/world.h"

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the kernel's maps shall hold: the output of compile(), the input of apply().
// Rules, rule sets and identities refer to each other by index into the plan's vectors;
// apply() gives them their lasting numbers by their keys: the same key is the same thing
// from plan to plan, a changed thing has another key.
//
// What a plan has in common with the one before, it may share with it: a part, or list, that is
// one and the same object says the same in both, indexes included. A place whose part is gone
// stays empty in the next plan, and may hold another part in those after it.
namespace ebpfd {

using Bitmap = std::array<uint64_t, BITMAP_WORDS>;

inline void set_bit(Bitmap& bitmap, uint32_t bit)
{
    bitmap[bit / 64] |= uint64_t{1} << (bit % 64);
}
inline bool has_bit(const Bitmap& bitmap, uint32_t bit)
{
    return (bitmap[bit / 64] >> (bit % 64)) & 1;
}

// The lowest bit from there on.
inline std::optional<uint32_t> first_bit(const Bitmap& bitmap, uint32_t from = 0)
{
    for (uint32_t word = from / 64; word < BITMAP_WORDS; ++word) {
        const uint64_t wanted = word == from / 64 ? ~uint64_t{0} << (from % 64) : ~uint64_t{0};
        if (const uint64_t bits = bitmap[word] & wanted; bits != 0)
            return word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
    }
    return std::nullopt;
}

// What rule_map says of a rule. Not part of its identity: line and file may change freely.
struct PlanRule {
    std::string key; // kind, direction, policy, index and whether it is enforced
    rule_kind kind = RULE_NETWORK_POLICY;
    direction dir = DIRECTION_INGRESS;
    rule_action action = ACTION_ALLOW;
    uint16_t index = 0;
    bool dry_run = false;
    std::string policy_namespace;
    std::string policy;
    Origin origin;

    bool operator==(const PlanRule&) const = default;
};

struct PlanBit {
    uint32_t rule = 0; // index into Plan::rules
    rule_action action = ACTION_ALLOW;
    tier in_tier = TIER_NETWORK_POLICY;
};

struct PlanPeer {
    uint32_t identity = 0; // index into Plan::identities
    Bitmap rules{};
};

struct PlanCidr {
    Cidr cidr;
    Bitmap rules{}; // wider blocks included, excepted ones left out
};

struct PlanPort {
    uint8_t protocol = 0;
    uint16_t port = 0;   // host byte order
    uint8_t prefix = 16; // leading bits of port that count, 0 to 16
    Bitmap rules{};      // wider ranges included
};

// The key says all that the rules mean, apart from which identities there are: peers may
// gain rows for new identities while the key, and so the number, stays.
struct PlanRuleset {
    std::string key;
    std::vector<PlanBit> bits;
    Bitmap any_peer{};
    Bitmap any_pod{};
    Bitmap any_port{};
    Bitmap watching{}; // of dry-run policies
    std::array<uint16_t, TIER_COUNT> tier_end{};
    std::vector<PlanPeer> peers; // rows that are all zero are left out
    // By identity of a service port: what a rehearsal meets, where watching has bits.
    std::vector<PlanPeer> rehearsed_services;
    std::vector<PlanCidr> cidrs;
    std::vector<PlanPort> ports;
};

// A set of labels, or a service port; the key names it in full.
struct PlanIdentity {
    std::string key;
};

// Indexes below are into Plan::identities, or one of these.
inline constexpr uint32_t PLAN_IDENTITY_NODE = 0xffffffff;
inline constexpr uint32_t PLAN_IDENTITY_SERVICE = 0xfffffffe;

struct PlanAddress {
    IpAddress address;
    uint32_t identity = 0;
};

struct PlanService {
    IpAddress address;
    uint16_t port = 0; // host byte order
    uint8_t protocol = 0;
    uint32_t identity = 0;
};

// Indexes below are into Plan::rulesets, or one of these.
inline constexpr uint32_t PLAN_RULESET_NONE = 0xffffffff;
inline constexpr uint32_t PLAN_RULESET_CLOSED = 0xfffffffe;

struct PlanEndpoint {
    uint32_t ifindex = 0;
    std::string interface;
    std::string pod_namespace; // both empty while the pod is not known
    std::string pod;
    std::vector<IpAddress> addresses;
    std::array<uint32_t, DIRECTION_COUNT> ruleset{PLAN_RULESET_NONE, PLAN_RULESET_NONE};

    bool operator==(const PlanEndpoint&) const = default;
};

struct Plan {
    PartList<PlanRule> rules;
    PartList<PlanRuleset> rulesets;
    PartList<PlanIdentity> identities;
    SharedList<PlanAddress> addresses; // one entry an address, pods, nodes and cluster IPs
    SharedList<PlanService> services;
    PartList<PlanEndpoint> endpoints;
    std::vector<std::string> warnings;
};

} // namespace ebpfd
