// SPDX-License-Identifier: Apache-2.0
#include "analysis/deciders.h"

#include "analysis/bitmaps.h"

#include <algorithm>

namespace ebpfd {
namespace {

const Bitmap NONE{};
const Bitmap ALL = ~NONE;

Bitmap first_bits(size_t count)
{
    Bitmap result{};
    for (uint32_t bit = 0; bit < count; ++bit)
        set_bit(result, bit);
    return result;
}

} // namespace

Deciders::Deciders(const PlanRuleset& ruleset, Atoms atoms)
    : ruleset_(ruleset), atoms_(std::move(atoms))
{
    for (const Bitmap& row : atoms_.services)
        if (const auto bit = first_bit(row))
            set_bit(deciding_, *bit);
    const Bitmap all = first_bits(ruleset.bits.size());
    for_each_packet(ALL, [&](const Bitmap&, const Bitmap& deciding) {
        deciding_ = deciding_ | deciding;
        return deciding_ != all;
    });
}

// The rules that the search comes by: those that pass, and the one at which it ends.
Bitmap Deciders::walk(const Bitmap& matching) const
{
    Bitmap result{};
    auto bit = first_bit(matching);
    while (bit) {
        set_bit(result, *bit);
        const PlanBit& rule = ruleset_.bits[*bit];
        if (rule.action != ACTION_PASS)
            break;
        bit = first_bit(matching, ruleset_.tier_end[rule.in_tier]);
    }
    return result;
}

// A dry-run policy has no part in what is in force, and only its own rules are rehearsed.
Bitmap Deciders::decide(const Bitmap& matching) const
{
    const Bitmap& watching = ruleset_.watching;
    return watching == NONE ? walk(matching)
                            : walk(matching & ~watching) | (walk(matching) & watching);
}

template <class Visit> void Deciders::for_each_packet(const Bitmap& wanted, Visit visit) const
{
    std::vector<const Bitmap*> ports;
    for (const Bitmap& port : atoms_.ports)
        if ((port & wanted) != NONE)
            ports.push_back(&port);
    for (const Bitmap& peer : atoms_.peers) {
        if ((peer & wanted) == NONE)
            continue;
        for (const Bitmap* port : ports) {
            const Bitmap matching = peer & *port;
            if ((matching & wanted) != NONE && !visit(matching, decide(matching)))
                return;
        }
    }
}

Bitmap Deciders::matching() const
{
    Bitmap peers{}, ports{};
    for (const Bitmap& peer : atoms_.peers)
        peers = peers | peer;
    for (const Bitmap& port : atoms_.ports)
        ports = ports | port;
    return peers & ports;
}

Bitmap Deciders::instead_of(uint32_t bit) const
{
    Bitmap wanted{};
    set_bit(wanted, bit);
    const Bitmap candidates = has_bit(ruleset_.watching, bit) ? ALL : ~ruleset_.watching;
    Bitmap result{};
    for_each_packet(wanted, [&](const Bitmap&, const Bitmap& deciding) {
        std::optional<uint32_t> last;
        for_each_bit(deciding & candidates, [&](uint32_t decider) {
            if (decider < bit)
                last = decider;
        });
        if (last)
            set_bit(result, *last);
        return true;
    });
    return result;
}

std::set<std::pair<uint32_t, uint32_t>>
Deciders::contradictions(const std::vector<Bitmap>& policies) const
{
    std::set<std::pair<uint32_t, uint32_t>> result;
    Bitmap any{};
    for (const Bitmap& policy : policies)
        any = any | policy;
    for_each_packet(any, [&](const Bitmap& matching, const Bitmap& deciding) {
        std::optional<uint32_t> decider;
        for (const Bitmap& policy : policies) {
            const auto first = first_bit((decider ? matching : deciding) & policy);
            if (!decider)
                decider = first;
            else if (first && ruleset_.bits[*first].action != ruleset_.bits[*decider].action)
                result.emplace(*decider, *first);
        }
        return true;
    });
    return result;
}

} // namespace ebpfd
