// SPDX-License-Identifier: Apache-2.0
#include "policy/ruleset_builder.h"

#include "policy/key_writer.h"

#include <algorithm>

namespace ebpfd {

namespace {

// Rows by identity, in the order of identities.
class PeerRows {
public:
    explicit PeerRows(size_t identities) : row_(identities, NONE) {}

    void add(const Bitset& identities, uint32_t bit)
    {
        identities.for_each([&](uint32_t identity) {
            if (row_[identity] == NONE) {
                row_[identity] = static_cast<uint32_t>(rows_.size());
                rows_.emplace_back();
            }
            set_bit(rows_[row_[identity]], bit);
        });
    }

    std::vector<PlanPeer> take() const
    {
        std::vector<PlanPeer> result;
        result.reserve(rows_.size());
        for (uint32_t identity = 0; identity < row_.size(); ++identity) {
            if (row_[identity] != NONE)
                result.push_back({identity, rows_[row_[identity]]});
        }
        return result;
    }

private:
    static constexpr uint32_t NONE = 0xffffffff;
    std::vector<uint32_t> row_;
    std::vector<Bitmap> rows_;
};

void add_flags(const RuleBit& bit, uint32_t number, PlanRuleset& result)
{
    if (bit.peers->any_peer)
        set_bit(result.any_peer, number);
    if (bit.peers->any_pod)
        set_bit(result.any_pod, number);
    if (bit.any_port)
        set_bit(result.any_port, number);
    if (bit.watching)
        set_bit(result.watching, number);
}

size_t identity_count(const std::vector<RuleBitPointer>& bits)
{
    size_t count = 0;
    for (const RuleBitPointer& bit : bits)
        count = std::max(count, bit->peers->identities.end());
    return count;
}

Bitmap shifted(const Bitmap& bitmap)
{
    Bitmap result{};
    uint64_t carry = 0;
    for (size_t index = 0; index < bitmap.size(); ++index) {
        result[index] = bitmap[index] << 1 | carry;
        carry = bitmap[index] >> 63;
    }
    return result;
}

template <class Rows> void shift_rows(Rows& rows)
{
    for (auto& row : rows)
        row.rules = shifted(row.rules);
}

} // namespace

PlanRuleset build_ruleset(const std::vector<RuleBitPointer>& bits)
{
    PlanRuleset result;
    PeerRows rows(identity_count(bits));
    std::vector<BlockBit> blocks;
    std::vector<PortBit> ports;
    KeyWriter key;
    key.text("rules").number(bits.size());
    for (uint32_t number = 0; number < bits.size(); ++number) {
        const RuleBit& bit = *bits[number];
        result.bits.push_back({bit.rule, bit.action, bit.in_tier});
        for (size_t behind = bit.in_tier; behind < TIER_COUNT; ++behind)
            ++result.tier_end[behind];
        add_flags(bit, number, result);
        if (!bit.peers->any_pod)
            rows.add(bit.peers->identities, number);
        for (const IpBlock& block : bit.peers->blocks)
            blocks.push_back({&block, number});
        for (const PortSpan& span : bit.ports)
            ports.push_back({span, number});
        key.raw(bit.key);
    }
    result.peers = rows.take();
    result.cidrs = close_cidrs(blocks);
    result.ports = close_ports(ports);
    result.key = key.take();
    return result;
}

Bitmap peer_row(const std::vector<RuleBitPointer>& bits, uint32_t identity)
{
    Bitmap row{};
    for (uint32_t number = 0; number < bits.size(); ++number) {
        const PeerSet& peers = *bits[number]->peers;
        if (!peers.any_pod && peers.identities.test(identity))
            set_bit(row, number);
    }
    return row;
}

std::optional<std::vector<PlanPeer>> exchange_rows(const std::vector<PlanPeer>& rows,
                                                   const std::map<uint32_t, Bitmap>& changes)
{
    const auto same = [&](const auto& change) {
        const auto row = std::ranges::lower_bound(rows, change.first, {}, &PlanPeer::identity);
        const bool known = row != rows.end() && row->identity == change.first;
        return change.second == (known ? row->rules : Bitmap{});
    };
    if (std::ranges::all_of(changes, same))
        return std::nullopt;
    std::vector<PlanPeer> result;
    result.reserve(rows.size() + changes.size());
    auto old = rows.begin();
    for (const auto& [identity, row] : changes) {
        for (; old != rows.end() && old->identity < identity; ++old)
            result.push_back(*old);
        if (old != rows.end() && old->identity == identity)
            ++old;
        if (row != Bitmap{})
            result.push_back({identity, row});
    }
    result.insert(result.end(), old, rows.end());
    return result;
}

PlanRuleset with_first_rule(const PlanRuleset& base, uint32_t rule,
                            const std::vector<IpAddress>& addresses)
{
    PlanRuleset result = base;
    result.bits.insert(result.bits.begin(), PlanBit{.rule = rule, .in_tier = TIER_ADMIN});
    for (uint16_t& end : result.tier_end)
        ++end;
    for (Bitmap* bitmap : {&result.any_peer, &result.any_pod, &result.any_port, &result.watching})
        *bitmap = shifted(*bitmap);
    shift_rows(result.peers);
    shift_rows(result.rehearsed_services);
    shift_rows(result.cidrs);
    shift_rows(result.ports);
    KeyWriter key;
    key.text("self").number(addresses.size());
    for (const IpAddress& address : addresses)
        key.text(address.text());
    result.key = key.raw(base.key).take();
    return result;
}

} // namespace ebpfd
