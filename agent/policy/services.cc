// SPDX-License-Identifier: Apache-2.0
#include "policy/services.h"

#include "policy/key_writer.h"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>
#include <unordered_map>

namespace ebpfd {

namespace {

using Slices = std::multimap<std::pair<std::string_view, std::string_view>, const EndpointSlice*>;

auto order(const Destination& one)
{
    return std::tie(one.address, one.protocol, one.port);
}

Slices by_service(const World& world)
{
    Slices result;
    for (const auto& slice : world.slices)
        result.emplace(
            std::pair{std::string_view(slice->slice_namespace), std::string_view(slice->service)},
            slice.get());
    return result;
}

// A cluster IP is translated to endpoints of its own family only.
void add_backends(const EndpointSlice& slice, const ServicePort& port, const IpAddress& front,
                  const Identities& identities, std::vector<Destination>& result)
{
    for (const ServicePort& target : slice.ports) {
        if (target.name != port.name || target.protocol != port.protocol || target.port == 0)
            continue;
        for (const IpAddress& address : slice.ready_addresses) {
            if (address.is_v4() == front.is_v4())
                result.push_back({address, identities.find(address), target.protocol, target.port});
        }
    }
}

template <class Order> void sort_unique(std::vector<Destination>& list, Order by)
{
    std::ranges::sort(list, {}, by);
    const auto rest = std::ranges::unique(list, {}, by);
    list.erase(rest.begin(), rest.end());
}

std::string key_of(const ServicePoint& point, const Identities& identities)
{
    KeyWriter key;
    key.text("service").text(point.front.address.text());
    key.number(static_cast<uint64_t>(point.front.protocol)).number(point.front.port);
    key.number(point.backends.size());
    for (const Destination& backend : point.backends) {
        key.text(backend.address.text()).number(backend.port).number(backend.identity.has_value());
        if (backend.identity)
            key.raw(identities.key(*backend.identity));
    }
    return key.take();
}

// Key and kinds, once all backends are there.
void finish(ServicePoint& point, const Identities& identities)
{
    sort_unique(point.backends, order);
    point.kinds = point.backends;
    sort_unique(point.kinds, [](const Destination& one) {
        return std::tie(one.identity, one.protocol, one.port);
    });
    point.key = key_of(point, identities);
}

std::vector<const Service*> sorted_services(const World& world)
{
    std::vector<const Service*> result;
    for (const auto& service : world.services)
        result.push_back(service.get());
    std::ranges::sort(result, {}, [](const Service* service) {
        return std::tie(service->service_namespace, service->name);
    });
    return result;
}

class Resolver {
public:
    Resolver(const World& world, const Identities& identities, std::vector<std::string>& warnings)
        : world_(world), identities_(identities), slices_(by_service(world)), warnings_(warnings)
    {
    }

    std::vector<ServicePoint> run()
    {
        for (const Service* service : sorted_services(world_)) {
            for (const IpAddress& address : service->cluster_ips)
                add(*service, address);
        }
        std::ranges::sort(points_, {}, [](const ServicePoint& one) { return order(one.front); });
        return std::move(points_);
    }

private:
    void add(const Service& service, const IpAddress& address)
    {
        if (identities_.owner(address) != nullptr || world_.node_addresses.contains(address)) {
            warn(service, address, "which a pod or node has too");
            return;
        }
        for (const ServicePort& port : service.ports) {
            ServicePoint point{.front = {address, std::nullopt, port.protocol, port.port},
                               .backends = {},
                               .kinds = {},
                               .key = {},
                               .identity = 0};
            const auto [begin, end] = slices_.equal_range(
                {std::string_view(service.service_namespace), std::string_view(service.name)});
            for (auto slice = begin; slice != end; ++slice)
                add_backends(*slice->second, port, address, identities_, point.backends);
            if (!taken_.insert(order_key(point.front)).second)
                warn(service, address,
                     "whose port " + std::to_string(port.port) + " an earlier service has");
            else if (!point.backends.empty()) {
                finish(point, identities_);
                points_.push_back(std::move(point));
            }
        }
    }

    void warn(const Service& service, const IpAddress& address, const std::string& reason)
    {
        warnings_.push_back("service " + service.service_namespace + "/" + service.name +
                            " has the cluster IP " + address.text() + ", " + reason +
                            ": ignored there");
    }

    static std::tuple<IpAddress, Protocol, uint16_t> order_key(const Destination& one)
    {
        return {one.address, one.protocol, one.port};
    }

    const World& world_;
    const Identities& identities_;
    Slices slices_;
    std::vector<std::string>& warnings_;
    std::set<std::tuple<IpAddress, Protocol, uint16_t>> taken_;
    std::vector<ServicePoint> points_;
};

// The lowest one speaks for the service: what is allowed comes first, then what shows whether a
// dry-run policy has a part in it, then the highest rules.
std::tuple<bool, bool, uint32_t, uint32_t> rank(const PlanRuleset& ruleset, const Walk& walk)
{
    const bool denied = walk.rule && ruleset.bits[*walk.rule].action == ACTION_DENY;
    return {denied, !walk.watcher, walk.rule.value_or(RULES_MAX),
            walk.watcher.value_or(RULES_MAX)};
}

} // namespace

std::vector<ServicePoint> resolve_services(const World& world, const Identities& identities,
                                           std::vector<std::string>& warnings)
{
    return Resolver(world, identities, warnings).run();
}

std::vector<ServicePoint> numbered_services(const World& world, Identities& identities,
                                            std::vector<std::string>& warnings)
{
    auto services = resolve_services(world, identities, warnings);
    number_services({}, services, identities);
    return services;
}

ServiceChanges number_services(const std::vector<ServicePoint>& before,
                               std::vector<ServicePoint>& now, Identities& identities)
{
    ServiceChanges changes;
    std::unordered_map<std::string_view, uint32_t> known;
    for (const ServicePoint& service : before)
        known.emplace(service.key, service.identity);
    for (ServicePoint& service : now) {
        if (const auto same = known.extract(service.key)) {
            service.identity = same.mapped();
            continue;
        }
        service.identity = identities.add_service(service.key);
        changes.fresh.push_back(service.identity);
    }
    for (const auto& [key, identity] : known) {
        identities.remove_service(identity);
        changes.gone.push_back(identity);
    }
    return changes;
}

Bitmap service_row(const Judge& judge, const PlanRuleset& ruleset, const ServicePoint& service,
                   bool rehearsed)
{
    // Without blocks the addresses do not matter, only who has them.
    const auto& backends = ruleset.cidrs.empty() ? service.kinds : service.backends;
    const Bitmap front = judge.matching(service.front);
    std::optional<Walk> best;
    for (const Destination& backend : backends) {
        Bitmap rules = judge.matching(backend);
        std::ranges::transform(rules, front, rules.begin(), std::bit_or{});
        const Walk walk = rehearsed ? judge.rehearse(rules) : judge.enforce(rules);
        if (!best || rank(ruleset, walk) < rank(ruleset, *best))
            best = walk;
    }
    Bitmap row{};
    for (const auto& bit : {best->rule, best->watcher})
        if (bit)
            set_bit(row, *bit);
    return row;
}

} // namespace ebpfd
