// SPDX-License-Identifier: Apache-2.0
#include "inventory/locate.h"

#include <algorithm>
#include <fmt/format.h>
#include <fnmatch.h>

namespace ebpfd {

namespace {

using PodPointer = Claims::PodPointer;

bool leads_anywhere(const Pod& pod, const AddressIndex& index)
{
    return std::ranges::any_of(
        pod.addresses, [&](const IpAddress& address) { return index.leads_anywhere(address); });
}

// A pod that says it is here and has an address should have an interface.
bool is_missed(const Pod& pod)
{
    return !pod.node.empty() && !pod.addresses.empty();
}

std::vector<LocalInterface> interfaces_of(const InterfaceTable& table, const Claims& claims,
                                          const std::vector<std::string>& globs)
{
    std::vector<LocalInterface> found;
    for (const auto& [ifindex, link] : table.links) {
        auto owner = claims.granted().find(ifindex);
        if (owner != claims.granted().end())
            found.push_back({ifindex, link.name, owner->second});
        else if (!link.loopback && matches_any(link.name, globs))
            found.push_back({ifindex, link.name, nullptr});
    }
    return found;
}

} // namespace

bool matches_any(const std::string& name, const std::vector<std::string>& globs)
{
    return std::ranges::any_of(globs, [&](const std::string& glob) {
        return fnmatch(glob.c_str(), name.c_str(), 0) == 0;
    });
}

bool may_run_here(const Pod& pod, const std::string& node_name)
{
    return (pod.node.empty() || pod.node == node_name) && !pod.host_network && !pod.finished;
}

std::vector<LocalInterface> locate_pods(const std::vector<PodPointer>& pods, const Staying& staying,
                                        const InterfaceTable& table, const AddressIndex& index,
                                        const std::string& node_name,
                                        const std::vector<std::string>& pod_interface_globs,
                                        std::vector<std::string>* warnings)
{
    std::vector<PodPointer> locatable;
    std::vector<PodPointer> missed;
    for (const PodPointer& pod : pods) {
        if (!may_run_here(*pod, node_name))
            continue;
        if (!pod->interface.empty() || staying.contains(pod.get()) || leads_anywhere(*pod, index))
            locatable.push_back(pod);
        else if (is_missed(*pod))
            missed.push_back(pod);
    }
    std::ranges::sort(locatable, [](const PodPointer& one, const PodPointer& other) {
        return is_newer(*one, *other);
    });
    Claims claims(table, index, std::move(locatable));
    claims.grant_by_annotation();
    claims.grant_staying(staying);
    claims.grant_by_far_end();
    claims.grant_by_route();
    if (warnings) {
        std::ranges::copy(claims.warnings(), std::back_inserter(*warnings));
        std::ranges::copy_if(claims.waiting(), std::back_inserter(missed),
                             [](const PodPointer& pod) { return is_missed(*pod); });
        for (const PodPointer& pod : missed)
            warnings->push_back(fmt::format(
                "pod {} runs on this node, but no interface leads to its address", pod->key()));
    }
    return interfaces_of(table, claims, pod_interface_globs);
}

} // namespace ebpfd
