// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/peer_names.h"

#include "ebpfctl/cell.h"

namespace ebpfd::ctl {
namespace {

// Pods on the host network share the node's addresses; finished ones may have lost theirs.
bool owns_addresses(const Json& pod)
{
    return member(pod, "/host_network") != true && member(pod, "/finished") != true;
}

} // namespace

PeerNames peer_names(const Context& context, const std::vector<LocalEndpoint>& locals)
{
    PeerNames names;
    for (const LocalEndpoint& local : locals)
        for (const IpAddress& address : local.addresses)
            names[address] = local.name;
    auto pods = context.get("/v1/pods", std::chrono::seconds(2));
    if (!pods)
        return names;
    for (const Json& pod : *pods) {
        if (!owns_addresses(pod))
            continue;
        ObjectName name{string_at(pod, "/namespace"), string_at(pod, "/name")};
        for (const Json& text : member(pod, "/addresses"))
            if (auto address = IpAddress::parse(value_text(text)))
                names.try_emplace(*address, name);
    }
    return names;
}

Json peer_fields(const PeerNames& names, const IpAddress& address)
{
    auto found = names.find(address);
    Json fields = name_fields(found == names.end() ? ObjectName{} : found->second);
    fields["ip"] = address.text();
    return fields;
}

} // namespace ebpfd::ctl
