// SPDX-License-Identifier: Apache-2.0
#include "analysis/containment.h"

#include <algorithm>

namespace ebpfd {
namespace {

// Whether every item of `inner` lies in one of `outer`.
template <class T> bool each_contained(const std::vector<T>& outer, const std::vector<T>& inner)
{
    return std::ranges::all_of(inner, [&](const T& item) {
        return std::ranges::any_of(outer, [&](const T& one) { return contains(one, item); });
    });
}

bool contains(const IpBlock& outer, const IpBlock& inner)
{
    if (!outer.cidr.contains(inner.cidr))
        return false;
    // What the outer one leaves out must not be in the inner one.
    return std::ranges::all_of(outer.except, [&](const Cidr& gap) {
        if (gap.contains(inner.cidr))
            return false;
        return !inner.cidr.contains(gap) ||
               std::ranges::any_of(inner.except,
                                   [&](const Cidr& except) { return except.contains(gap); });
    });
}

bool in_more_namespaces(const PolicyPeer& outer, const PolicyPeer& inner)
{
    if (!outer.namespaces)
        return !inner.namespaces;
    return contains(*outer.namespaces, inner.namespaces.value_or(Selector{})) &&
           (inner.namespaces || outer.namespaces->requirements.empty());
}

} // namespace

bool contains(const Selector& outer, const Selector& inner)
{
    // Fewer requirements match more; both are sorted.
    return std::ranges::includes(inner.requirements, outer.requirements);
}

bool contains(const PolicyPeer& outer, const PolicyPeer& inner)
{
    if (outer.block || inner.block)
        return outer.block && inner.block && contains(*outer.block, *inner.block);
    if (outer.nodes || inner.nodes)
        return outer.nodes && inner.nodes && contains(*outer.nodes, *inner.nodes);
    return in_more_namespaces(outer, inner) &&
           contains(outer.pods.value_or(Selector{}), inner.pods.value_or(Selector{}));
}

bool contains(const PolicyPort& outer, const PolicyPort& inner)
{
    if (outer.protocol != inner.protocol)
        return false;
    const auto *range = std::get_if<PortRange>(&outer.port),
               *part = std::get_if<PortRange>(&inner.port);
    if (range == nullptr)
        return outer.port == inner.port;
    if (part == nullptr) // a name may stand for any number
        return range->first <= 1 && range->last == 65535;
    return range->first <= part->first && part->last <= range->last;
}

bool contains(const PolicyRule& outer, const PolicyRule& inner)
{
    if (outer.nobody || inner.nobody)
        return false;
    const bool peers =
        outer.peers.empty() || (!inner.peers.empty() && each_contained(outer.peers, inner.peers));
    const bool ports =
        outer.ports.empty() || (!inner.ports.empty() && each_contained(outer.ports, inner.ports));
    return peers && ports;
}

} // namespace ebpfd
