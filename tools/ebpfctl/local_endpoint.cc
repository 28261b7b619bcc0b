// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/local_endpoint.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace ebpfd::ctl {
namespace {

LocalEndpoint join(uint32_t ifindex, const endpoint& entry, uint32_t generation,
                   const endpoint_name& name)
{
    LocalEndpoint local;
    local.ifindex = ifindex;
    local.index = entry.index;
    local.name = {text_of(name.pod_namespace), text_of(name.pod)};
    local.interface = text_of(name.interface);
    for (const auto& bytes : name.address) {
        IpAddress address;
        std::ranges::copy(bytes, address.bytes.begin());
        if (address != IpAddress{})
            local.addresses.push_back(address);
    }
    std::ranges::copy(entry.slot[generation & 1].ruleset, local.ruleset.begin());
    return local;
}

} // namespace

Result<std::vector<LocalEndpoint>> local_endpoints(const PinnedMaps& maps)
{
    auto state = maps.state();
    if (!state)
        return std::unexpected(state.error());
    auto entries = maps.endpoints();
    if (!entries)
        return std::unexpected(entries.error());
    auto names = maps.endpoint_names();
    if (!names)
        return std::unexpected(names.error());
    std::map<uint32_t, endpoint_name> name_of(names->begin(), names->end());
    std::vector<LocalEndpoint> locals;
    for (const auto& [ifindex, entry] : *entries)
        locals.push_back(join(ifindex, entry, state->generation, name_of[ifindex]));
    std::ranges::sort(
        locals, {}, [](const LocalEndpoint& local) { return std::tie(local.name, local.ifindex); });
    return locals;
}

Result<std::vector<LocalEndpoint>> shown_endpoints(const PinnedMaps& maps, const Context& context)
{
    auto locals = local_endpoints(maps);
    if (locals)
        std::erase_if(*locals, [&](const LocalEndpoint& local) {
            return !context.shows(local.name.in_namespace);
        });
    return locals;
}

Result<LocalEndpoint> find_endpoint(const PinnedMaps& maps, const ObjectName& name)
{
    auto locals = local_endpoints(maps);
    if (!locals)
        return std::unexpected(locals.error());
    auto found = std::ranges::find(*locals, name, &LocalEndpoint::name);
    if (found == locals->end())
        return fail(ENOENT, fmt::format("pod {} is not among the pods of this node", name.text()));
    return *found;
}

Json name_fields(const ObjectName& name)
{
    return {{"namespace", name.in_namespace}, {"pod", name.name}};
}

std::string ruleset_text(uint32_t ruleset)
{
    if (ruleset == RULESET_NONE)
        return "none";
    return ruleset == RULESET_CLOSED ? "closed" : fmt::format("{}", ruleset);
}

} // namespace ebpfd::ctl
