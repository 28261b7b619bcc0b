// SPDX-License-Identifier: Apache-2.0
#include "kernel/changes.h"

#include "kernel/ruleset_rows.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <initializer_list>

namespace ebpfd {

namespace {

// Visits the rows of both tables in order: visit(key, left or nullptr, right or nullptr).
template <class Rows, class Less, class Visit>
void merge(const Rows& left, const Rows& right, Less less, Visit visit)
{
    auto l = left.begin();
    auto r = right.begin();
    while (l != left.end() || r != right.end()) {
        const bool only_left = r == right.end() || (l != left.end() && less(l->first, r->first));
        const bool only_right = l == left.end() || (r != right.end() && less(r->first, l->first));
        const auto& key = only_right ? r->first : l->first;
        visit(key, only_right ? nullptr : &l->second, only_left ? nullptr : &r->second);
        l += only_right ? 0 : 1;
        r += only_left ? 0 : 1;
    }
}

template <class K> struct SlotChanges {
    Rows<K, identity_slots>& rows;
    std::vector<K>& touched;
    size_t& fresh;
};

template <class K>
void compare_slots(const std::shared_ptr<const Table<K, uint32_t>>& current,
                   const std::shared_ptr<const Table<K, uint32_t>>& next, uint32_t parity,
                   SlotChanges<K> out)
{
    if (current == next)
        return;
    merge(*current, *next, ByBytes{},
          [&](const K& key, const uint32_t* before, const uint32_t* after) {
              if (before && after && *before == *after)
                  return;
              identity_slots slots{};
              slots.number[parity] = before ? *before : uint32_t{IDENTITY_WORLD};
              slots.number[parity ^ 1] = after ? *after : uint32_t{IDENTITY_WORLD};
              out.rows.add(key, slots);
              out.touched.push_back(key);
              out.fresh += before ? 0 : 1;
          });
}

// Visits what differs between two lists, in the order of numbers: visit(number, row before or
// nullptr, row after or nullptr).
template <class Part, class Row, class Visit>
void compare_lists(const NumberedList<Part, Row>& current, const NumberedList<Part, Row>& next,
                   Visit visit)
{
    const auto& old = current.entries.all();
    const auto& fresh = next.entries.all();
    if (&old == &fresh)
        return;
    Table<uint32_t, const Row*> before;
    Table<uint32_t, const Row*> after;
    for (size_t place = 0; place < std::max(old.size(), fresh.size()); ++place) {
        const auto* left = place < old.size() ? &old[place] : nullptr;
        const auto* right = place < fresh.size() ? &fresh[place] : nullptr;
        if (left && right && left->number == right->number && left->row == right->row)
            continue;
        if (left && left->number != 0)
            before.emplace_back(left->number, left->row.get());
        if (right && right->number != 0)
            after.emplace_back(right->number, right->row.get());
    }
    std::ranges::sort(before);
    std::ranges::sort(after);
    merge(before, after, std::less<>{},
          [&](uint32_t number, const Row* const* left, const Row* const* right) {
              visit(number, left ? *left : nullptr, right ? *right : nullptr);
          });
}

void compare_rules(const Applied& current, const Applied& next, Changes& changes)
{
    compare_lists(current.rules, next.rules,
                  [&](uint32_t number, const rule_info* before, const rule_info* after) {
                      if (!after) {
                          changes.obsolete.rules.push_back(number);
                          changes.obsolete.freed_rules.push_back(number);
                      } else if (!before || !same_bytes(*before, *after)) {
                          changes.rules.add(number, *after);
                          if (!before)
                              changes.new_rules.push_back(number);
                      }
                  });
}

void add_ruleset(uint32_t number, const RulesetRows& rows, Changes& changes)
{
    changes.rulesets.add(number, ruleset_of(rows));
    changes.cidrs.add(rows.cidrs);
    changes.ports.add(rows.ports);
    for (const auto& [identity, rules] : rows.peers)
        changes.peers.add({number, identity}, *rules);
}

void retire_ruleset(uint32_t number, const RulesetRows& rows, Retirement& obsolete)
{
    obsolete.rulesets.push_back(number);
    obsolete.cidrs.insert(obsolete.cidrs.end(), rows.cidrs.keys.begin(), rows.cidrs.keys.end());
    obsolete.ports.insert(obsolete.ports.end(), rows.ports.keys.begin(), rows.ports.keys.end());
    for (const auto& row : rows.peers)
        obsolete.peers.push_back({number, row.first});
}

void compare_peers(uint32_t number, const RulesetRows& current, const RulesetRows& next,
                   Changes& changes)
{
    merge(current.peers, next.peers, std::less<>{},
          [&](uint32_t identity, const auto* before, const auto* after) {
              if (!before)
                  changes.peers.add({number, identity}, **after);
              else if (!after)
                  changes.obsolete.peers.push_back({number, identity});
          });
}

void compare_rulesets(const Applied& current, const Applied& next, Changes& changes)
{
    compare_lists(current.rulesets, next.rulesets,
                  [&](uint32_t number, const RulesetRows* before, const RulesetRows* after) {
                      if (!before)
                          add_ruleset(number, *after, changes);
                      else if (!after)
                          retire_ruleset(number, *before, changes.obsolete);
                      else if (before != after)
                          compare_peers(number, *before, *after, changes);
                  });
}

// Those of all these, each once, as far as there is room.
void set_addresses(endpoint& value, std::initializer_list<const endpoint_name*> names)
{
    using Address = std::array<uint8_t, sizeof(value.address[0])>;
    std::vector<Address> all;
    for (const endpoint_name* name : names)
        for (const auto& bytes : name->address)
            if (const Address address = std::to_array(bytes);
                address != Address{} && std::ranges::find(all, address) == all.end())
                all.push_back(address);
    all.resize(std::size(value.address));
    for (size_t i = 0; i < all.size(); ++i)
        std::ranges::copy(all[i], value.address[i]);
}

void compare_endpoint(uint32_t ifindex, const EndpointRow* before, const EndpointRow& row,
                      uint32_t parity, Changes& changes)
{
    if (before && before->name == row.name && before->rulesets == row.rulesets)
        return;
    if (!before || before->index != row.index) {
        changes.new_indexes.push_back(row.index);
        changes.other_pods.push_back(ifindex);
    }
    if (before && before->index != row.index)
        changes.obsolete.freed_indexes.push_back(before->index);
    if (!before || before->index != row.index || before->rulesets != row.rulesets ||
        !same_bytes(before->name->address, row.name->address)) {
        const bool stays = before && !before->gone;
        const endpoint value = endpoint_value(stays ? *before : row, row, parity);
        changes.endpoints.add(ifindex, value);
        endpoint flipped = value;
        set_addresses(flipped, {row.name.get()});
        if (!same_bytes(value, flipped))
            changes.flipped.add(ifindex, flipped);
        changes.obsolete.endpoints.push_back(ifindex);
    }
    if (!before || !same_bytes(*before->name, *row.name))
        changes.names.add(ifindex, *row.name);
    changes.new_endpoints += before ? 0 : 1;
}

void compare_endpoints(const Applied& current, const Applied& next, uint32_t parity,
                       Changes& changes)
{
    merge(current.endpoints, next.endpoints, std::less<>{},
          [&](uint32_t ifindex, const EndpointRow* before, const EndpointRow* row) {
              if (row)
                  return compare_endpoint(ifindex, before, *row, parity, changes);
              changes.gone.push_back(ifindex);
              changes.obsolete.endpoints.push_back(ifindex);
              changes.obsolete.freed_indexes.push_back(before->index);
          });
}

} // namespace

endpoint endpoint_value(const EndpointRow& in_force, const EndpointRow& idle, uint32_t parity)
{
    endpoint value{};
    std::ranges::copy(in_force.rulesets, value.slot[parity].ruleset);
    std::ranges::copy(idle.rulesets, value.slot[parity ^ 1].ruleset);
    value.index = idle.index;
    set_addresses(value, {idle.name.get(), in_force.name.get()});
    return value;
}

bool Retirement::empty() const
{
    return rules.empty() && addresses.empty() && services.empty() && endpoints.empty() &&
           rulesets.empty() && peers.empty() && cidrs.empty() && ports.empty() &&
           freed_rules.empty() && freed_indexes.empty();
}

uint32_t Changes::count() const
{
    const size_t written = rules.size() + rulesets.size() + peers.size() + cidrs.size() +
                           ports.size() + addresses.size() + services.size() + endpoints.size() +
                           names.size();
    const size_t erased = obsolete.rules.size() + obsolete.rulesets.size() + obsolete.peers.size() +
                          obsolete.cidrs.size() + obsolete.ports.size() + gone.size();
    return static_cast<uint32_t>(written + erased);
}

bool Changes::flips() const
{
    return rulesets.size() + peers.size() + addresses.size() + services.size() + endpoints.size() +
               obsolete.rulesets.size() + obsolete.peers.size() + gone.size() >
           0;
}

Retirement Changes::undo() const
{
    Retirement undo;
    undo.rules = rules.keys;
    undo.rulesets = rulesets.keys;
    undo.peers = peers.keys;
    undo.cidrs = cidrs.keys;
    undo.ports = ports.keys;
    undo.addresses = addresses.keys;
    undo.services = services.keys;
    undo.endpoints = endpoints.keys;
    undo.endpoints.insert(undo.endpoints.end(), names.keys.begin(), names.keys.end());
    return undo;
}

Changes compare(const Applied& current, const Applied& next, uint32_t parity)
{
    Changes changes;
    compare_rules(current, next, changes);
    compare_rulesets(current, next, changes);
    compare_slots<address_key>(
        current.addresses.rows, next.addresses.rows, parity,
        {changes.addresses, changes.obsolete.addresses, changes.new_addresses});
    compare_slots<service_key>(current.services.rows, next.services.rows, parity,
                               {changes.services, changes.obsolete.services, changes.new_services});
    compare_endpoints(current, next, parity, changes);
    return changes;
}

} // namespace ebpfd
