// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/endpoint.h"
#include "ebpfd/identity.h"
#include "ebpfd/ruleset.h"
#include "kernel/map.h"
#include "kernel/number_pool.h"
#include "model/plan.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ebpfd {

// Orders and compares keys by their bytes; they have no padding that is not zeroed.
struct ByBytes {
    template <class K> bool operator()(const K& left, const K& right) const
    {
        return std::memcmp(&left, &right, sizeof(K)) < 0;
    }
};
template <class T> bool same_bytes(const T& left, const T& right)
{
    return std::memcmp(&left, &right, sizeof(T)) == 0;
}

// A table in memory, sorted by its keys' bytes.
template <class K, class V> using Table = std::vector<std::pair<K, V>>;

// The value of a key, or nullptr.
template <class K, class V> const V* find_row(const Table<K, V>& table, const K& key)
{
    const auto row = std::ranges::lower_bound(table, key, ByBytes{},
                                              [](const auto& entry) { return entry.first; });
    return row != table.end() && same_bytes(row->first, key) ? &row->second : nullptr;
}

// Rows by identity. Most have the same rules as many others, and share them.
using PeerRows = Table<uint32_t, std::shared_ptr<const bitmap>>;

// All rows of one rule set, in four maps.
struct RulesetRows {
    std::string header; // the bytes of struct ruleset up to its last rule
    PeerRows peers;
    Rows<cidr_key, bitmap> cidrs; // values until a plan is in force
    Rows<port_key, bitmap> ports;
};

// A part of the plan, its lasting number, and what lies in the maps for it. Number 0: an empty
// place of the plan. Without the part: adopted, nobody knows its key.
template <class Part, class Row> struct Numbered {
    std::shared_ptr<const Part> part;
    uint32_t number = 0;
    std::shared_ptr<Row> row;
};
// By the places of the plan.
template <class Part, class Row> struct NumberedList {
    PartList<Part> planned; // that the entries were made of
    SharedList<Numbered<Part, Row>> entries;
};

template <class Part, class Row> size_t count_of(const NumberedList<Part, Row>& list)
{
    return static_cast<size_t>(
        std::ranges::count_if(list.entries, [](const auto& entry) { return entry.number != 0; }));
}

struct NoRow {};

// A list of the plan as its map has it.
template <class Planned, class K> struct SlotTable {
    SharedList<Planned> planned; // that the rows were made of
    std::shared_ptr<const Table<K, uint32_t>> rows = std::make_shared<Table<K, uint32_t>>();
};

struct EndpointRow {
    std::shared_ptr<const PlanEndpoint> part; // nullptr: adopted, or closed
    uint32_t index = 0;
    std::array<uint32_t, DIRECTION_COUNT> rulesets{};
    std::shared_ptr<const endpoint_name> name;
    bool attached = false;
    bool gone = false; // its interface is; what has its number is another's
};

// By ifindex, in its order. In one piece, since each change makes a copy.
class EndpointRows {
public:
    auto begin() const { return rows_.begin(); }
    auto end() const { return rows_.end(); }
    auto begin() { return rows_.begin(); }
    auto end() { return rows_.end(); }
    size_t size() const { return rows_.size(); }
    bool empty() const { return rows_.empty(); }
    void reserve(size_t count) { rows_.reserve(count); }

    // nullptr: there is none.
    const EndpointRow* find(uint32_t ifindex) const
    {
        const auto row =
            std::ranges::lower_bound(rows_, ifindex, {}, &std::pair<uint32_t, EndpointRow>::first);
        return row != rows_.end() && row->first == ifindex ? &row->second : nullptr;
    }
    bool contains(uint32_t ifindex) const { return find(ifindex) != nullptr; }
    // In place of the one there may be.
    void put(uint32_t ifindex, EndpointRow row)
    {
        const auto place =
            std::ranges::lower_bound(rows_, ifindex, {}, &std::pair<uint32_t, EndpointRow>::first);
        if (place != rows_.end() && place->first == ifindex)
            place->second = std::move(row);
        else
            rows_.emplace(place, ifindex, std::move(row));
    }

private:
    Table<uint32_t, EndpointRow> rows_;
};

// What the maps hold, and for which of the plan's parts each number stands: a value, so that a
// change is made in a copy and forgotten if it fails. The copy shares all that stays.
struct Applied {
    NumberedList<PlanRule, rule_info> rules;
    NumberedList<PlanRuleset, RulesetRows> rulesets;
    NumberedList<PlanIdentity, NoRow> identities;
    SlotTable<PlanAddress, address_key> addresses;
    SlotTable<PlanService, service_key> services;
    EndpointRows endpoints;
    NumberPool free_rules;
    NumberPool free_indexes;
    uint32_t next_ruleset = RULESET_FIRST;
    uint32_t next_identity = IDENTITY_FIRST;
};

// What may lie in the maps without being in force. Rules, addresses, services and endpoints
// are to be made as Applied has them, or erased if it has none; the others are to be erased.
struct Retirement {
    std::vector<uint32_t> rules;
    std::vector<address_key> addresses;
    std::vector<service_key> services;
    std::vector<uint32_t> endpoints;
    std::vector<uint32_t> rulesets;
    std::vector<peer_key> peers;
    std::vector<cidr_key> cidrs;
    std::vector<port_key> ports;
    std::vector<uint32_t> freed_rules; // numbers to be handed out again afterwards
    std::vector<uint32_t> freed_indexes;

    bool empty() const;
};

} // namespace ebpfd
