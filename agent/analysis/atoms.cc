// SPDX-License-Identifier: Apache-2.0
#include "analysis/atoms.h"

#include "analysis/bitmaps.h"

#include <algorithm>

namespace ebpfd {
namespace {

constexpr size_t NONE = ~size_t{0};

// How many addresses a block holds, modulo 2^128: ::/0 has 0, as if it were empty.
using Count = unsigned __int128;

Count size_of(const Cidr& cidr)
{
    return cidr.prefix == 0 ? 0 : Count{1} << (128 - cidr.prefix);
}

// Bit by bit, as the kernel's prefix match does it.
bool around(const Cidr& cidr, const IpAddress& address)
{
    const size_t whole = cidr.prefix / 8;
    const auto &base = cidr.address.bytes, &other = address.bytes;
    if (!std::equal(base.begin(), base.begin() + static_cast<ptrdiff_t>(whole), other.begin()))
        return false;
    return cidr.prefix % 8 == 0 || (base[whole] ^ other[whole]) >> (8 - cidr.prefix % 8) == 0;
}

// What of an entry lies in no narrower one, and is owned by nobody who is told apart.
class Rest {
public:
    explicit Rest(Count size) : size_(size) {}
    void take(Count part)
    {
        size_ -= part;
        touched_ = true;
    }
    // Parts never overlap: 0 after the first one means that nothing is left.
    bool any() const { return !touched_ || size_ != 0; }

private:
    Count size_;
    bool touched_ = false;
};

IpAddress last_of(const Cidr& cidr)
{
    IpAddress result = cidr.address;
    for (size_t bit = cidr.prefix; bit < 128; ++bit)
        result.bytes[bit / 8] |= static_cast<uint8_t>(0x80 >> bit % 8);
    return result;
}

// Addresses in their order that find the same entry: the innermost one around them, as an index
// into the blocks + 1, or 0 outside of all, where no block has a rule.
struct Stretch {
    size_t begin = 0;
    size_t end = 0;
    size_t entry = 0;
};

// Walks the blocks of a rule set along sorted addresses.
template <class Addresses> class BlockWalk {
public:
    BlockWalk(const std::vector<PlanCidr>& blocks, const Addresses& addresses)
        : blocks_(blocks), addresses_(addresses)
    {
        rests_.emplace_back(0);
        for (const PlanCidr& block : blocks)
            rests_.emplace_back(size_of(block.cidr));
        for (size_t entry = 1; entry <= blocks.size(); ++entry)
            open(entry);
        while (open_.back() != 0)
            close();
        stretch_to(addresses.size());
    }

    const std::vector<Stretch>& stretches() const { return stretches_; }
    // By entry: what of it no narrower one holds.
    std::vector<Rest>& rests() { return rests_; }

private:
    const Cidr& block(size_t entry) const { return blocks_[entry - 1].cidr; }

    void open(size_t entry)
    {
        while (open_.back() != 0 && !around(block(open_.back()), block(entry).address))
            close();
        stretch_to(place_of(std::ranges::lower_bound(addresses_, block(entry).address, {},
                                                     &Addresses::value_type::first)));
        rests_[open_.back()].take(size_of(block(entry)));
        open_.push_back(entry);
    }
    void close()
    {
        stretch_to(place_of(std::ranges::upper_bound(addresses_, last_of(block(open_.back())), {},
                                                     &Addresses::value_type::first)));
        open_.pop_back();
    }
    void stretch_to(size_t end)
    {
        if (begin_ < end)
            stretches_.push_back({begin_, end, open_.back()});
        begin_ = end;
    }
    size_t place_of(typename Addresses::const_iterator place) const
    {
        return static_cast<size_t>(place - addresses_.begin());
    }

    const std::vector<PlanCidr>& blocks_;
    const Addresses& addresses_;
    std::vector<Stretch> stretches_;
    std::vector<Rest> rests_;
    std::vector<size_t> open_{0};
    size_t begin_ = 0;
};

std::vector<Bitmap> distinct(const std::vector<Bitmap>& bitmaps)
{
    const BitmapSet set(bitmaps.begin(), bitmaps.end());
    return {set.begin(), set.end()};
}

// The entries' own ports: those in no narrower entry.
std::vector<uint32_t> own_ports(const std::vector<PlanPort>& entries)
{
    std::vector<uint32_t> result(entries.size());
    std::vector<size_t> open;
    for (size_t index = 0; index < entries.size(); ++index) {
        const PlanPort& entry = entries[index];
        const auto outside = [&](const PlanPort& outer) {
            return outer.protocol != entry.protocol ||
                   (outer.port ^ entry.port) >> (16 - outer.prefix) != 0;
        };
        while (!open.empty() && outside(entries[open.back()]))
            open.pop_back();
        result[index] = uint32_t{1} << (16 - entry.prefix);
        if (!open.empty())
            result[open.back()] -= result[index];
        open.push_back(index);
    }
    return result;
}

// Of an entry as the walk counts them.
Bitmap block_row(const PlanRuleset& ruleset, size_t entry)
{
    return entry == 0 ? Bitmap{} : ruleset.cidrs[entry - 1].rules;
}

std::vector<Bitmap> port_atoms(const PlanRuleset& ruleset)
{
    std::vector<Bitmap> result{ruleset.any_port}; // of protocols without ports, at least
    const auto own = own_ports(ruleset.ports);
    for (size_t index = 0; index < own.size(); ++index)
        if (own[index] != 0)
            result.push_back(ruleset.any_port | ruleset.ports[index].rules);
    return distinct(result);
}

} // namespace

AtomFinder::AtomFinder(const World& world, const Identities& identities)
    : identity_count_(identities.pod_count())
{
    for (const auto& [address, identity] : identities.addresses())
        addresses_.emplace_back(address, identity);
    for (const IpAddress& address : world.node_addresses)
        addresses_.emplace_back(address, std::nullopt);
    std::ranges::sort(addresses_);
}

void AtomFinder::add_rows(const PlanRuleset& ruleset, std::vector<Bitmap>& peers) const
{
    const Bitmap pods = ruleset.any_peer | ruleset.any_pod;
    size_t rows = 0;
    for (; rows < ruleset.peers.size() && ruleset.peers[rows].identity < identity_count_; ++rows)
        peers.push_back(pods | ruleset.peers[rows].rules);
    if (rows < identity_count_)
        peers.push_back(pods);
    peers.push_back(ruleset.any_peer);
}

void AtomFinder::add_blocks(const PlanRuleset& ruleset, direction dir,
                            std::vector<Bitmap>& peers) const
{
    std::vector<const Bitmap*> rows(identity_count_, nullptr);
    for (const PlanPeer& peer : ruleset.peers)
        if (peer.identity < identity_count_)
            rows[peer.identity] = &peer.rules;
    std::vector<size_t> seen(identity_count_, NONE); // the last entry of each
    BlockWalk walk(ruleset.cidrs, addresses_);
    for (const auto& [begin, end, entry] : walk.stretches()) {
        const Bitmap pods = ruleset.any_peer | ruleset.any_pod | block_row(ruleset, entry);
        bool any_without_row = false;
        for (size_t place = begin; place < end; ++place) {
            const auto& identity = addresses_[place].second;
            if (identity || dir == DIRECTION_INGRESS) // the node's own traffic comes in unjudged
                walk.rests()[entry].take(1);
            if (!identity || std::exchange(seen[*identity], entry) == entry)
                continue;
            if (const Bitmap* row = rows[*identity])
                peers.push_back(pods | *row);
            else
                any_without_row = true;
        }
        if (any_without_row)
            peers.push_back(pods);
    }
    for (size_t entry = 0; entry < walk.rests().size(); ++entry)
        if (walk.rests()[entry].any())
            peers.push_back(ruleset.any_peer | block_row(ruleset, entry));
}

std::vector<size_t> AtomFinder::outsides(const PlanRuleset& ruleset, direction dir) const
{
    BlockWalk walk(ruleset.cidrs, addresses_);
    for (const auto& [begin, end, entry] : walk.stretches())
        for (size_t place = begin; place < end; ++place)
            if (addresses_[place].second || dir == DIRECTION_INGRESS)
                walk.rests()[entry].take(1);
    std::vector<size_t> result;
    for (size_t entry = 0; entry < walk.rests().size(); ++entry)
        if (walk.rests()[entry].any())
            result.push_back(entry);
    return result;
}

Atoms AtomFinder::find(const PlanRuleset& ruleset, direction dir) const
{
    Atoms atoms;
    std::vector<Bitmap> peers;
    if (ruleset.cidrs.empty())
        add_rows(ruleset, peers);
    else
        add_blocks(ruleset, dir, peers);
    atoms.peers = distinct(peers);
    atoms.ports = port_atoms(ruleset);
    for (const PlanPeer& peer : ruleset.peers)
        if (peer.identity >= identity_count_)
            atoms.services.push_back(peer.rules);
    for (const PlanPeer& peer : ruleset.rehearsed_services)
        if (const Bitmap watchers = peer.rules & ruleset.watching; watchers != Bitmap{})
            atoms.services.push_back(watchers);
    atoms.services = distinct(atoms.services);
    return atoms;
}

} // namespace ebpfd
