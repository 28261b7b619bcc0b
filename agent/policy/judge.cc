// SPDX-License-Identifier: Apache-2.0
#include "policy/judge.h"

#include <algorithm>

namespace ebpfd {

namespace {

struct PortNumber {
    uint8_t protocol = 0;
    uint16_t port = 0;
    auto operator<=>(const PortNumber&) const = default;
};

// Bit by bit, as the kernel's prefix match does it: families are kept apart by the entries.
bool around(const PlanCidr& entry, const IpAddress& address)
{
    const auto& [base, prefix] = entry.cidr;
    const size_t whole = prefix / 8;
    if (!std::equal(base.bytes.begin(), base.bytes.begin() + whole, address.bytes.begin()))
        return false;
    return prefix % 8 == 0 || (base.bytes[whole] ^ address.bytes[whole]) >> (8 - prefix % 8) == 0;
}

// Of two entries in order: the earlier one holds the later one's base only if it holds all.
bool around(const PlanCidr& entry, const PlanCidr& later)
{
    return around(entry, later.cidr.address);
}

bool around(const PlanPort& entry, const PortNumber& number)
{
    return entry.protocol == number.protocol &&
           (entry.port ^ number.port) >> (16 - entry.prefix) == 0;
}

bool around(const PlanPort& entry, const PlanPort& inner)
{
    return around(entry, PortNumber{inner.protocol, inner.port});
}

template <class Entry> std::vector<size_t> parents(const std::vector<Entry>& entries)
{
    std::vector<size_t> result(entries.size());
    for (size_t index = 1; index < entries.size(); ++index) {
        size_t parent = index; // as index + 1: the entry before
        while (parent != 0 && !around(entries[parent - 1], entries[index]))
            parent = result[parent - 1];
        result[index] = parent;
    }
    return result;
}

// The narrowest entry around the wanted one: `behind` counts the entries that do not lie
// behind it in order.
template <class Entry, class Wanted>
const Bitmap* narrowest(const std::vector<Entry>& entries, const std::vector<size_t>& parents,
                        size_t behind, const Wanted& wanted)
{
    size_t candidate = behind;
    while (candidate != 0 && !around(entries[candidate - 1], wanted))
        candidate = parents[candidate - 1];
    return candidate == 0 ? nullptr : &entries[candidate - 1].rules;
}

const Bitmap* row_of(const std::vector<PlanPeer>& rows, uint32_t identity)
{
    const auto row = std::ranges::lower_bound(rows, identity, {}, &PlanPeer::identity);
    return row == rows.end() || row->identity != identity ? nullptr : &row->rules;
}

uint64_t word_of(const Bitmap* row, size_t index)
{
    return row == nullptr ? 0 : (*row)[index];
}

} // namespace

Judge::Judge(const PlanRuleset& ruleset)
    : ruleset_(ruleset), cidr_parents_(parents(ruleset.cidrs)),
      port_parents_(parents(ruleset.ports))
{
}

const Bitmap* Judge::peer_row(uint32_t identity) const
{
    return row_of(ruleset_.peers, identity);
}

const Bitmap* Judge::rehearsed_row(uint32_t service) const
{
    return row_of(ruleset_.rehearsed_services, service);
}

const Bitmap* Judge::cidr_row(const IpAddress& address) const
{
    const auto end =
        std::ranges::upper_bound(ruleset_.cidrs, Cidr{address, 128}, {}, &PlanCidr::cidr);
    return narrowest(ruleset_.cidrs, cidr_parents_,
                     static_cast<size_t>(end - ruleset_.cidrs.begin()), address);
}

const Bitmap* Judge::port_row(Protocol protocol, uint16_t port) const
{
    const PortNumber number{static_cast<uint8_t>(protocol), port};
    const auto end =
        std::ranges::upper_bound(ruleset_.ports, number, {}, [](const PlanPort& entry) {
            return PortNumber{entry.protocol, entry.port};
        });
    return narrowest(ruleset_.ports, port_parents_,
                     static_cast<size_t>(end - ruleset_.ports.begin()), number);
}

Bitmap Judge::with_peer(const IpAddress& address, std::optional<uint32_t> identity) const
{
    const Bitmap* pods = identity ? &ruleset_.any_pod : nullptr;
    const Bitmap* peer = identity ? peer_row(*identity) : nullptr;
    const Bitmap* cidr = cidr_row(address);
    Bitmap result{};
    for (size_t index = 0; index < BITMAP_WORDS; ++index)
        result[index] = ruleset_.any_peer[index] | word_of(pods, index) | word_of(peer, index) |
                        word_of(cidr, index);
    return result;
}

Bitmap Judge::with_port(Protocol protocol, uint16_t port) const
{
    const Bitmap* row = port_row(protocol, port);
    Bitmap result{};
    for (size_t index = 0; index < BITMAP_WORDS; ++index)
        result[index] = ruleset_.any_port[index] | word_of(row, index);
    return result;
}

Bitmap Judge::matching(const Destination& destination) const
{
    Bitmap result = with_peer(destination.address, destination.identity);
    const Bitmap ports = with_port(destination.protocol, destination.port);
    for (size_t index = 0; index < BITMAP_WORDS; ++index)
        result[index] &= ports[index];
    return result;
}

Walk Judge::enforce(const Bitmap& matching) const
{
    Bitmap enforced{};
    for (size_t index = 0; index < BITMAP_WORDS; ++index)
        enforced[index] = matching[index] & ~ruleset_.watching[index];
    return rehearse(enforced);
}

Walk Judge::rehearse(const Bitmap& matching) const
{
    Walk walk{.rule = first_bit(matching), .watcher = {}};
    for (;;) {
        if (walk.rule && !walk.watcher && has_bit(ruleset_.watching, *walk.rule))
            walk.watcher = walk.rule;
        if (!walk.rule || ruleset_.bits[*walk.rule].action != ACTION_PASS)
            return walk;
        walk.rule = first_bit(matching, ruleset_.tier_end[ruleset_.bits[*walk.rule].in_tier]);
    }
}

} // namespace ebpfd
