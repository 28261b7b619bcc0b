// SPDX-License-Identifier: Apache-2.0
#include "policy/closure.h"

#include <algorithm>

namespace ebpfd {

namespace {

// At this prefix, one block of the rule begins (+1) or ends (-1).
struct Edge {
    Cidr cidr;
    uint32_t bit = 0;
    int change = 0;
};

const Cidr ALL_IPV4 = *Cidr::parse("0.0.0.0/0");

// Whether the IPv6 block would match IPv4 addresses, written as mapped ones.
bool reaches_ipv4(const Cidr& cidr)
{
    return !cidr.is_v4() && cidr.contains(Cidr{ALL_IPV4.address, 95});
}

// Excepted blocks that lie inside others would end the same block twice.
std::vector<Cidr> outermost(std::vector<Cidr> blocks)
{
    std::ranges::sort(blocks);
    std::vector<Cidr> result;
    for (const Cidr& block : blocks) {
        if (result.empty() || !result.back().contains(block))
            result.push_back(block);
    }
    return result;
}

std::vector<Edge> edges_of(const std::vector<BlockBit>& blocks, bool v4)
{
    std::vector<Edge> edges;
    for (const auto& [block, bit] : blocks) {
        if (block->cidr.is_v4() != v4)
            continue;
        edges.push_back({block->cidr, bit, 1});
        for (const Cidr& except : outermost(block->except))
            edges.push_back({except, bit, -1});
    }
    std::ranges::sort(edges, {}, &Edge::cidr);
    return edges;
}

// Walks the prefixes of one family in order: a prefix comes after all that contain it. Keeps
// for each rule how many of its blocks hold at the current prefix.
class Sweep {
public:
    explicit Sweep(std::vector<Edge> edges) : edges_(std::move(edges)) {}

    void run(std::vector<PlanCidr>& result)
    {
        for (size_t begin = 0; begin < edges_.size();) {
            const Cidr& cidr = edges_[begin].cidr;
            size_t end = begin;
            while (end < edges_.size() && edges_[end].cidr == cidr)
                ++end;
            leave_until(cidr);
            const Bitmap outside = current_;
            apply(begin, end, 1);
            open_.emplace_back(begin, end);
            if (current_ != outside) // else the wider entry says the same
                result.push_back({cidr, current_});
            begin = end;
        }
    }

private:
    void leave_until(const Cidr& cidr)
    {
        while (!open_.empty() && !edges_[open_.back().first].cidr.contains(cidr)) {
            apply(open_.back().first, open_.back().second, -1);
            open_.pop_back();
        }
    }

    void apply(size_t begin, size_t end, int sign)
    {
        for (size_t index = begin; index < end; ++index) {
            const uint32_t bit = edges_[index].bit;
            holding_[bit] += sign * edges_[index].change;
            const uint64_t mask = uint64_t{1} << (bit % 64);
            if (holding_[bit] > 0)
                current_[bit / 64] |= mask;
            else
                current_[bit / 64] &= ~mask;
        }
    }

    std::vector<Edge> edges_;
    std::vector<std::pair<size_t, size_t>> open_; // edges of the prefixes around the current one
    std::array<int, RULES_MAX> holding_{};
    Bitmap current_{};
};

} // namespace

std::vector<PlanCidr> close_cidrs(const std::vector<BlockBit>& blocks)
{
    std::vector<PlanCidr> result;
    Sweep(edges_of(blocks, false)).run(result);
    const bool leaks =
        std::ranges::any_of(result, [](const PlanCidr& entry) { return reaches_ipv4(entry.cidr); });
    const size_t v6_count = result.size();
    Sweep(edges_of(blocks, true)).run(result);
    const bool covered = v6_count < result.size() && result[v6_count].cidr == ALL_IPV4;
    if (leaks && !covered)
        result.push_back({ALL_IPV4, {}});
    std::ranges::sort(result, {}, &PlanCidr::cidr);
    return result;
}

} // namespace ebpfd
