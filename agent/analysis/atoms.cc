// SPDX-License-Identifier: Apache-2.0
#include "analysis/atoms.h"

#include "analysis/bitmaps.h"

#include <algorithm>

namespace ebpfd {
namespace {

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

// Walks the blocks of a rule set and all owned addresses together, in their order. The entry that
// a packet's peer finds is the innermost open one; outside of all, there is one without rules.
class BlockWalk {
public:
    explicit BlockWalk(const std::vector<PlanCidr>& blocks)
        : blocks_(blocks), rests_(blocks.size() + 1, Rest{0})
    {
        for (size_t index = 0; index < blocks.size(); ++index)
            rests_[index + 1] = Rest(size_of(blocks[index].cidr));
    }

    // The entry around the next address: an index into the blocks + 1, or 0.
    size_t enter(const IpAddress& address)
    {
        while (next_ < blocks_.size() && blocks_[next_].cidr.address <= address)
            open(next_++);
        close_until(address);
        return open_.back();
    }
    void take(size_t entry) { rests_[entry].take(1); }
    // The entries in which an outside address finds itself, once all addresses were entered.
    std::vector<size_t> outsides()
    {
        while (next_ < blocks_.size())
            open(next_++);
        std::vector<size_t> result;
        for (size_t entry = 0; entry < rests_.size(); ++entry)
            if (rests_[entry].any())
                result.push_back(entry);
        return result;
    }

private:
    void open(size_t block)
    {
        close_until(blocks_[block].cidr.address);
        rests_[open_.back()].take(size_of(blocks_[block].cidr));
        open_.push_back(block + 1);
    }
    void close_until(const IpAddress& address)
    {
        while (open_.back() != 0 && !around(blocks_[open_.back() - 1].cidr, address))
            open_.pop_back();
    }

    const std::vector<PlanCidr>& blocks_;
    std::vector<Rest> rests_;
    std::vector<size_t> open_{0};
    size_t next_ = 0;
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
    : identity_count_(identities.all().size())
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
    const auto block = [&](size_t entry) {
        return entry == 0 ? Bitmap{} : ruleset.cidrs[entry - 1].rules;
    };
    const Bitmap pods = ruleset.any_peer | ruleset.any_pod;
    std::vector<size_t> seen(identity_count_, ruleset.cidrs.size() + 1); // the last entry of each
    BlockWalk walk(ruleset.cidrs);
    for (const auto& [address, identity] : addresses_) {
        const size_t entry = walk.enter(address);
        if (identity || dir == DIRECTION_INGRESS) // the node's own traffic comes in unjudged
            walk.take(entry);
        if (!identity || std::exchange(seen[*identity], entry) == entry)
            continue;
        const Bitmap* row = rows[*identity];
        peers.push_back(pods | block(entry) | (row == nullptr ? Bitmap{} : *row));
    }
    for (const size_t entry : walk.outsides())
        peers.push_back(ruleset.any_peer | block(entry));
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
    atoms.services = distinct(atoms.services);
    return atoms;
}

} // namespace ebpfd
