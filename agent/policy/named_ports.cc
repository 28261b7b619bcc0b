// SPDX-License-Identifier: Apache-2.0
#include "policy/named_ports.h"

#include "policy/key_writer.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace ebpfd {

namespace {

PortSpan single(const NamedPort& port)
{
    return {port.protocol, {port.number, port.number}};
}

std::vector<PolicyPort> named_only(const std::vector<PolicyPort>& ports)
{
    std::vector<PolicyPort> result;
    std::ranges::copy_if(ports, std::back_inserter(result), [](const PolicyPort& port) {
        return std::holds_alternative<std::string>(port.port);
    });
    return result;
}

bool holds(const PeerSet& peers, const IpAddress& address)
{
    const auto inside = [&](const Cidr& cidr) { return cidr.contains(address); };
    return std::ranges::any_of(peers.blocks, [&](const IpBlock& block) {
        return inside(block.cidr) && std::ranges::none_of(block.except, inside);
    });
}

// Adds up, for each number, the peers that have one of the names there.
class Resolution {
public:
    Resolution(const std::vector<PolicyPort>& names, const PeerSet& peers,
               const Identities& identities)
        : names_(names), peers_(peers), identities_(identities)
    {
    }

    void add_identities()
    {
        const bool all = peers_.any_peer || peers_.any_pod;
        for (uint32_t number = 0; number < identities_.all().size(); ++number) {
            if (!all && !peers_.identities.test(number))
                continue;
            for (const PortSpan& span : resolve(names_, identities_.all()[number].ports))
                at(span).identities.set(number);
        }
    }

    void add_addresses()
    {
        if (peers_.any_peer || peers_.any_pod || peers_.blocks.empty())
            return;
        for (const auto& [address, number] : identities_.addresses()) {
            const auto spans = resolve(names_, identities_.all()[number].ports);
            if (spans.empty() || peers_.identities.test(number) || !holds(peers_, address))
                continue;
            for (const PortSpan& span : spans)
                at(span).blocks.push_back({.cidr = {address, 128}, .except = {}});
        }
    }

    std::map<PortSpan, PeerSet> take()
    {
        for (auto& [span, set] : found_)
            set.key = key(set);
        return std::move(found_);
    }

private:
    PeerSet& at(const PortSpan& span) { return found_[span]; }

    std::string key(const PeerSet& set) const
    {
        std::set<std::pair<Protocol, std::string>> names;
        for (const PolicyPort& port : names_)
            names.emplace(port.protocol, std::get<std::string>(port.port));
        KeyWriter key;
        key.text("named").raw(peers_.key).number(names.size());
        for (const auto& [protocol, name] : names)
            key.number(static_cast<uint64_t>(protocol)).text(name);
        key.number(set.blocks.size());
        for (const IpBlock& block : set.blocks)
            key.block(block);
        return key.take();
    }

    const std::vector<PolicyPort>& names_;
    const PeerSet& peers_;
    const Identities& identities_;
    std::map<PortSpan, PeerSet> found_;
};

} // namespace

bool has_named_port(const std::vector<PolicyPort>& ports)
{
    return std::ranges::any_of(ports, [](const PolicyPort& port) {
        return std::holds_alternative<std::string>(port.port);
    });
}

std::vector<PortSpan> resolve(const std::vector<PolicyPort>& ports,
                              const std::vector<NamedPort>& pod_ports)
{
    std::vector<PortSpan> result;
    for (const auto& [protocol, port] : ports) {
        if (const auto* range = std::get_if<PortRange>(&port)) {
            result.push_back({protocol, *range});
            continue;
        }
        for (const NamedPort& named : pod_ports) {
            if (named.name == std::get<std::string>(port) && named.protocol == protocol)
                result.push_back(single(named));
        }
    }
    return result;
}

std::map<PortSpan, PeerSet> resolve_on_peers(const std::vector<PolicyPort>& ports,
                                             const PeerSet& peers, const Identities& identities)
{
    const auto names = named_only(ports);
    if (names.empty())
        return {};
    Resolution resolution(names, peers, identities);
    resolution.add_identities();
    resolution.add_addresses();
    return resolution.take();
}

} // namespace ebpfd
