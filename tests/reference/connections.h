// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/verdict.h"
#include "model/world.h"
#include "reference/frame.h"

#include <cstdint>
#include <span>
#include <vector>

namespace reference {

struct Ruling {
    bool allow = true;
    reason why = REASON_NO_POLICY;
    bool operator==(const Ruling&) const = default;
};

// What becomes of frames, one after the other, at the interface of one pod while the policy stays
// as it is: lists, searched from end to end, in place of tables.
class Connections {
public:
    // The world must have the interface, with a pod.
    Connections(const ebpfd::World& world, uint32_t ifindex);

    Ruling judge(std::span<const uint8_t> bytes, direction dir);

private:
    // A connection from the pod's side.
    struct Key {
        ebpfd::IpAddress peer;
        uint8_t protocol = 0;
        uint16_t pod_port = 0;
        uint16_t peer_port = 0;
        bool query = false;
        bool pod_asks = false;
        bool operator==(const Key&) const = default;
    };
    struct Flow {
        Key key;
        ebpfd::IpAddress pod;
        direction dir = DIRECTION_INGRESS; // in which it was opened
        reason why = REASON_NO_POLICY;
        bool answered = false;
    };
    struct FirstFragment {
        Frame frame;
        direction dir = DIRECTION_INGRESS;
    };

    static Key key_of(const Tuple& tuple, direction dir);
    Flow* find(const Key& key);
    Ruling stray(reason why, direction dir) const;
    Ruling judge_connection(const Frame& frame, direction dir);
    Ruling judge_new(const Frame& frame, direction dir) const;
    Ruling judge_later_fragment(const Frame& frame, direction dir);
    bool is_quote_of_flow(const Frame& frame, direction dir);
    bool is_needed(const Frame& frame, direction dir) const;

    const ebpfd::World& world_;
    const uint32_t ifindex_;
    const ebpfd::Pod* pod_ = nullptr;
    std::vector<Flow> flows_;
    std::vector<FirstFragment> fragments_;
};

} // namespace reference
