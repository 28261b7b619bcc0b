// SPDX-License-Identifier: Apache-2.0
#include "inventory/claims.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

namespace ebpfd {

Claims::Claims(const InterfaceTable& table, const AddressIndex& index, std::vector<PodPointer> pods)
    : table_(table), index_(index), waiting_(std::move(pods))
{
    settle_addresses();
}

void Claims::settle_addresses()
{
    for (const PodPointer& pod : waiting_) {
        for (const IpAddress& address : pod->addresses) {
            auto [owner, first] = address_owner_.try_emplace(address, pod.get());
            if (!first && owner->second != pod.get())
                warnings_.push_back(fmt::format("pods {} and {} both have the address {}: it is "
                                                "taken for that of {}, the newer one",
                                                pod->key(), owner->second->key(), address.text(),
                                                owner->second->key()));
        }
    }
}

bool Claims::owns(const Pod& pod, const IpAddress& address) const
{
    auto owner = address_owner_.find(address);
    return owner != address_owner_.end() && owner->second == &pod;
}

template <class Function> void Claims::grant_each(const Function& candidates_of)
{
    std::erase_if(waiting_, [&](const PodPointer& pod) {
        for (uint32_t ifindex : candidates_of(*pod))
            if (granted_.try_emplace(ifindex, pod).second)
                return true;
        return false;
    });
}

void Claims::grant_by_annotation()
{
    std::erase_if(waiting_, [&](const PodPointer& pod) {
        if (!pod->interface.empty())
            grant_named(pod);
        return !pod->interface.empty();
    });
}

void Claims::grant_staying(const Staying& staying)
{
    std::erase_if(waiting_, [&](const PodPointer& pod) {
        const auto home = staying.find(pod.get());
        return home != staying.end() && granted_.try_emplace(home->second, pod).second;
    });
}

void Claims::grant_named(const PodPointer& pod)
{
    auto warn = [&](std::string_view what) {
        warnings_.push_back(
            fmt::format("pod {} names the interface {}, {}", pod->key(), pod->interface, what));
    };
    auto named = std::ranges::find_if(
        table_.links, [&](const auto& entry) { return entry.second.name == pod->interface; });
    if (named == table_.links.end())
        return warn("which does not exist here");
    if (named->second.loopback)
        return warn("which is the loopback interface");
    auto [owner, free] = granted_.try_emplace(named->first, pod);
    if (!free)
        warn(fmt::format("which the newer pod {} names as well", owner->second->key()));
}

void Claims::grant_by_far_end()
{
    // A pod may be able to give itself the address of another, which then has two candidates.
    // Pods with one come first, so that neither loses its own interface.
    grant_each([&](const Pod& pod) {
        auto candidates = far_end_candidates(pod);
        return candidates.size() == 1 ? candidates : std::vector<uint32_t>{};
    });
    grant_each([&](const Pod& pod) { return far_end_candidates(pod); });
}

std::vector<uint32_t> Claims::far_end_candidates(const Pod& pod) const
{
    struct Fit {
        int routes = 0; // host routes to the pod by this interface: set up by the node's root
        int addresses = 0;
    };
    std::map<uint32_t, Fit> fits;
    for (const IpAddress& address : pod.addresses) {
        if (!owns(pod, address))
            continue;
        for (uint32_t ifindex : index_.far_ends(address))
            ++fits[ifindex].addresses;
        for (uint32_t ifindex : index_.routes(address))
            if (auto fit = fits.find(ifindex); fit != fits.end())
                ++fit->second.routes;
    }
    std::vector<uint32_t> candidates;
    for (const auto& [ifindex, fit] : fits)
        candidates.push_back(ifindex);
    std::ranges::stable_sort(candidates, std::greater{}, [&](uint32_t ifindex) {
        const Fit& fit = fits.at(ifindex);
        return std::tuple(fit.routes, fit.addresses);
    });
    return candidates;
}

void Claims::grant_by_route()
{
    grant_each([&](const Pod& pod) {
        std::vector<uint32_t> candidates;
        for (const IpAddress& address : pod.addresses)
            if (owns(pod, address))
                std::ranges::copy(index_.routes(address), std::back_inserter(candidates));
        return candidates;
    });
}

} // namespace ebpfd
