// SPDX-License-Identifier: Apache-2.0
#include "kernel/ruleset_rows.h"

#include "kernel/encode.h"

#include <algorithm>
#include <cstddef>

namespace ebpfd {

namespace {

PeerRows peers_of(const NumberedRuleset& numbered)
{
    SharedBitmaps bitmaps;
    PeerRows peers;
    peers.reserve(numbered.planned.peers.size() + numbered.planned.rehearsed_services.size());
    for (const auto& peer : numbered.planned.peers)
        peers.emplace_back(numbered.identities.entries[peer.identity].number,
                           bitmaps.share(encode_bitmap(peer.rules)));
    for (const auto& peer : numbered.planned.rehearsed_services)
        peers.emplace_back(numbered.identities.entries[peer.identity].number | IDENTITY_REHEARSED,
                           bitmaps.share(encode_bitmap(peer.rules)));
    std::ranges::sort(peers, {}, [](const auto& row) { return row.first; });
    return peers;
}

// Whether identities that both have, have the same rules in both.
bool agree(const PeerRows& left, const PeerRows& right)
{
    auto other = right.begin();
    for (const auto& [identity, rules] : left) {
        while (other != right.end() && other->first < identity)
            ++other;
        if (other == right.end())
            return true;
        if (other->first == identity && !same_bytes(*other->second, *rules))
            return false;
    }
    return true;
}

bool same_identities(const PeerRows& left, const PeerRows& right)
{
    return std::ranges::equal(
        left, right, {}, [](const auto& row) { return row.first; },
        [](const auto& row) { return row.first; });
}

} // namespace

std::shared_ptr<const bitmap> SharedBitmaps::share(const bitmap& rules)
{
    const auto [known, fresh] = known_.try_emplace(rules);
    if (fresh)
        known->second = std::make_shared<const bitmap>(rules);
    return known->second;
}

std::shared_ptr<RulesetRows> make_rows(const NumberedRuleset& numbered, uint32_t number)
{
    auto rows = std::make_shared<RulesetRows>();
    rows->header = header_of(encode_ruleset(numbered.planned, numbered.rules));
    rows->peers = peers_of(numbered);
    for (const auto& cidr : numbered.planned.cidrs)
        rows->cidrs.add(encode_cidr(cidr.cidr, number), encode_bitmap(cidr.rules));
    for (const auto& port : numbered.planned.ports)
        rows->ports.add(encode_port(port, number), encode_bitmap(port.rules));
    return rows;
}

std::shared_ptr<RulesetRows> extend_rows(const std::shared_ptr<RulesetRows>& known,
                                         const NumberedRuleset& numbered)
{
    if (header_of(encode_ruleset(numbered.planned, numbered.rules)) != known->header ||
        known->cidrs.size() != numbered.planned.cidrs.size() ||
        known->ports.size() != numbered.planned.ports.size())
        return nullptr;
    auto peers = peers_of(numbered);
    if (!agree(known->peers, peers))
        return nullptr;
    if (same_identities(known->peers, peers))
        return known;
    auto rows = std::make_shared<RulesetRows>(*known);
    rows->peers = std::move(peers);
    return rows;
}

std::string header_of(const ruleset& value)
{
    const size_t count = std::min<size_t>(value.count, RULES_MAX);
    return {reinterpret_cast<const char*>(&value),
            offsetof(ruleset, rule) + count * sizeof(ruleset_rule)};
}

ruleset ruleset_of(const RulesetRows& rows)
{
    ruleset value{};
    std::memcpy(&value, rows.header.data(), rows.header.size());
    return value;
}

} // namespace ebpfd
