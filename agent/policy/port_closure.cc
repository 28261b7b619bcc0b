// SPDX-License-Identifier: Apache-2.0
#include "policy/closure.h"

#include <algorithm>
#include <bit>
#include <tuple>

namespace ebpfd {

namespace {

constexpr uint32_t PORTS = 1 << 16;

struct PrefixBit {
    uint8_t protocol = 0;
    uint32_t port = 0;
    uint8_t prefix = 0;
    uint32_t bit = 0;

    auto order() const { return std::tie(protocol, port, prefix); }
};

// The fewest prefixes that hold exactly the range.
void split(const PortBit& span, std::vector<PrefixBit>& result)
{
    uint32_t first = span.span.range.first;
    const uint32_t end = uint32_t{span.span.range.last} + 1;
    while (first < end) {
        const uint32_t aligned = first == 0 ? PORTS : first & -first;
        const uint32_t size = std::min(aligned, std::bit_floor(end - first));
        const auto prefix = static_cast<uint8_t>(16 - std::countr_zero(size));
        result.push_back({static_cast<uint8_t>(span.span.protocol), first, prefix, span.bit});
        first += size;
    }
}

bool contains(const PlanPort& outer, const PrefixBit& inner)
{
    const uint32_t size = PORTS >> outer.prefix;
    return outer.protocol == inner.protocol && inner.port >= outer.port &&
           inner.port < outer.port + size;
}

} // namespace

std::vector<PlanPort> close_ports(const std::vector<PortBit>& spans)
{
    std::vector<PrefixBit> prefixes;
    for (const PortBit& span : spans)
        split(span, prefixes);
    std::ranges::sort(prefixes, {}, &PrefixBit::order);
    std::vector<PlanPort> result;
    std::vector<size_t> open; // entries around the current one, in result
    for (const PrefixBit& prefix : prefixes) {
        while (!open.empty() && !contains(result[open.back()], prefix))
            open.pop_back();
        const bool same = !open.empty() && result[open.back()].port == prefix.port &&
                          result[open.back()].prefix == prefix.prefix;
        if (!same) {
            const Bitmap outside = open.empty() ? Bitmap{} : result[open.back()].rules;
            open.push_back(result.size());
            result.push_back(
                {prefix.protocol, static_cast<uint16_t>(prefix.port), prefix.prefix, outside});
        }
        set_bit(result.back().rules, prefix.bit);
    }
    return result;
}

std::vector<PortSpan> merged(std::vector<PortSpan> spans)
{
    std::ranges::sort(spans);
    std::vector<PortSpan> result;
    for (const PortSpan& span : spans) {
        const bool joins = !result.empty() && result.back().protocol == span.protocol &&
                           span.range.first <= uint32_t{result.back().range.last} + 1;
        if (joins)
            result.back().range.last = std::max(result.back().range.last, span.range.last);
        else
            result.push_back(span);
    }
    return result;
}

} // namespace ebpfd
