// SPDX-License-Identifier: Apache-2.0
#include "reference/judge.h"

#include "reference/match.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <tuple>

using namespace ebpfd;

namespace reference {

// An address and port that a destination stands for.
struct Target {
    IpAddress address;
    uint16_t port = 0;
};

static void add_backends(const World& world, const Service& service, const ServicePort& port,
                         const IpAddress& cluster_ip, std::vector<Target>& targets)
{
    for (const auto& slice : world.slices) {
        if (slice->slice_namespace != service.service_namespace || slice->service != service.name)
            continue;
        for (const ServicePort& target : slice->ports)
            for (const IpAddress& ready : slice->ready_addresses)
                if (target.name == port.name && target.protocol == port.protocol &&
                    same_family(ready, cluster_ip))
                    targets.push_back({ready, target.port});
    }
}

// The ready endpoints behind the packet's destination, if that is a service's cluster IP.
static std::vector<Target> backends(const World& world, const Packet& packet)
{
    std::vector<Target> targets;
    for (const auto& service : world.services) {
        if (std::ranges::count(service->cluster_ips, packet.destination) == 0)
            continue;
        for (const ServicePort& port : service->ports)
            if (static_cast<uint8_t>(port.protocol) == packet.protocol &&
                port.port == packet.destination_port)
                add_backends(world, *service, port, packet.destination, targets);
    }
    return targets;
}

// What the packet is sent to, as an egress rule may see it: the destination as it stands, and one
// of the endpoints that it stands for.
using Sight = std::vector<Target>;

static std::vector<Sight> sights(const World& world, const Packet& packet)
{
    const Target as_it_stands{packet.destination, packet.destination_port};
    std::vector<Sight> all;
    if (packet.dir == DIRECTION_EGRESS)
        for (const Target& target : backends(world, packet))
            all.push_back({as_it_stands, target});
    if (all.empty())
        all.push_back({as_it_stands});
    return all;
}

static bool rule_matches(const World& world, const std::string& own_namespace,
                         const PolicyRule& rule, const Packet& packet, const Pod& pod,
                         const Sight& sight)
{
    if (packet.dir == DIRECTION_INGRESS)
        return peer_matches(world, own_namespace, rule, packet.source) &&
               port_matches(rule, packet.protocol, packet.destination_port, &pod);
    for (const Target& target : sight)
        if (peer_matches(world, own_namespace, rule, target.address) &&
            port_matches(rule, packet.protocol, target.port, owner(world, target.address)))
            return true;
    return false;
}

static bool leads_back(const World& world, const Packet& packet, const Pod& pod)
{
    if (packet.dir == DIRECTION_EGRESS)
        for (const Target& target : backends(world, packet))
            if (owner(world, target.address) == &pod)
                return true;
    return false;
}

static std::vector<const NetworkPolicy*> isolating_policies(const World& world, const Pod& pod,
                                                            direction dir)
{
    std::vector<const NetworkPolicy*> isolating;
    for (const auto& policy : world.policies) {
        const auto& rules = dir == DIRECTION_INGRESS ? policy->ingress : policy->egress;
        if (rules && policy_selects(*policy, pod))
            isolating.push_back(policy.get());
    }
    std::ranges::sort(isolating, {}, [](const NetworkPolicy* policy) {
        return std::pair(policy->policy_namespace, policy->name);
    });
    return isolating;
}

// All that has a say about the pod in the packet's direction, in the order of precedence.
struct Statutes {
    std::vector<const ClusterPolicy*> admin;
    std::vector<const NetworkPolicy*> isolating;
    std::vector<const ClusterPolicy*> baseline;

    bool empty() const { return admin.empty() && isolating.empty() && baseline.empty(); }
};

static std::vector<const ClusterPolicy*> cluster_policies(const World& world, const Pod& pod,
                                                          direction dir, tier in_tier)
{
    std::vector<const ClusterPolicy*> found;
    for (const auto& policy : world.cluster_policies)
        if (policy->in_tier == in_tier && !policy->rules(dir).empty() &&
            cluster_policy_selects(world, *policy, pod))
            found.push_back(policy.get());
    std::ranges::sort(found, {}, [](const ClusterPolicy* policy) {
        return std::tuple(policy->priority, policy->name);
    });
    return found;
}

// How one sight ends, and how far down in the order the rule stands that decided.
struct Ending {
    Judgement judgement;
    size_t rank = 0;
    size_t watcher_rank = 0;
};

class Trial {
public:
    Trial(const World& world, const Packet& packet, const Pod& pod, const Sight& sight)
        : world_(world), packet_(packet), pod_(pod), sight_(sight)
    {
    }

    Ending run(const Statutes& statutes)
    {
        Ending ending = decide(statutes);
        ending.judgement.watcher = watcher_;
        ending.watcher_rank = watcher_rank_;
        return ending;
    }

private:
    Ending decide(const Statutes& statutes)
    {
        if (const auto end = by_tier(statutes.admin))
            return *end;
        if (!statutes.isolating.empty())
            return by_network_policies(statutes.isolating);
        if (const auto end = by_tier(statutes.baseline))
            return *end;
        return {{.why = REASON_NO_POLICY}, ++rank_};
    }

    bool matches(const std::string& own_namespace, const PolicyRule& rule)
    {
        ++rank_;
        return rule_matches(world_, own_namespace, rule, packet_, pod_, sight_);
    }

    // Nothing: the tier leaves it to the next one.
    std::optional<Ending> by_tier(const std::vector<const ClusterPolicy*>& policies)
    {
        bool passed = false;
        std::optional<Ending> end;
        for (const ClusterPolicy* policy : policies) {
            const std::vector<PolicyRule>& rules = policy->rules(packet_.dir);
            for (size_t index = 0; index < rules.size(); ++index) {
                if (!matches("", rules[index]) || passed || end)
                    continue;
                meet(policy->dry_run, {.cluster_rule = RuleName{policy->name, index}});
                const bool accepted = rules[index].action == ACTION_ALLOW;
                passed = rules[index].action == ACTION_PASS;
                if (!passed)
                    end = Ending{{.allow = accepted,
                                  .why = accepted ? REASON_RULE : REASON_DENIED,
                                  .cluster_rule = RuleName{policy->name, index}},
                                 rank_};
            }
        }
        return end;
    }

    Ending by_network_policies(const std::vector<const NetworkPolicy*>& isolating)
    {
        Judgement denial{.allow = false, .why = REASON_DENIED};
        for (const NetworkPolicy* policy : isolating) {
            const std::string key = policy->policy_namespace + "/" + policy->name;
            denial.isolating.push_back(key);
            const auto& rules =
                packet_.dir == DIRECTION_INGRESS ? *policy->ingress : *policy->egress;
            for (size_t index = 0; index < rules.size(); ++index)
                if (matches(policy->policy_namespace, rules[index])) {
                    meet(policy->dry_run, {.rule = RuleName{key, index}});
                    return {{.why = REASON_RULE, .rule = RuleName{key, index}}, rank_};
                }
        }
        ++rank_;
        meet(std::ranges::all_of(isolating, &NetworkPolicy::dry_run), denial);
        return {denial, rank_};
    }

    void meet(bool dry_run, Judgement named)
    {
        if (!dry_run || !watcher_.empty())
            return;
        watcher_.push_back(std::move(named));
        watcher_rank_ = rank_;
    }

    const World& world_;
    const Packet& packet_;
    const Pod& pod_;
    const Sight& sight_;
    size_t rank_ = 0;
    std::vector<Judgement> watcher_;
    size_t watcher_rank_ = 0;
};

// Allowed if it is so by any endpoint behind the destination; the highest rule is named, of a way
// that met a dry-run policy if there is one.
static Judgement judge_by_rules(const World& world, const Packet& packet, const Pod& pod,
                                const Statutes& statutes)
{
    std::vector<Ending> endings;
    for (const Sight& sight : sights(world, packet))
        endings.push_back(Trial(world, packet, pod, sight).run(statutes));
    const Ending best = *std::ranges::min_element(endings, {}, [](const Ending& end) {
        return std::tuple(!end.judgement.allow, end.judgement.watcher.empty(), end.rank,
                          end.watcher_rank);
    });
    if (!best.judgement.allow && leads_back(world, packet, pod))
        return {.why = REASON_SELF};
    return best.judgement;
}

bool is_known(const World& world, const IpAddress& address)
{
    const bool service = std::ranges::any_of(world.services, [&](const auto& one) {
        return std::ranges::count(one->cluster_ips, address) != 0;
    });
    return service || owner(world, address) != nullptr || world.node_addresses.contains(address);
}

bool is_on_link(const IpAddress& address)
{
    static const std::array blocks = {
        Cidr::parse("0.0.0.0/32").value(), Cidr::parse("169.254.0.0/16").value(),
        Cidr::parse("::/128").value(), Cidr::parse("fe80::/10").value()};
    return std::ranges::any_of(blocks, [&](const Cidr& block) { return block.contains(address); });
}

bool spoofed(const World& world, const Packet& packet, const Pod& pod)
{
    if (packet.dir == DIRECTION_INGRESS || pod.addresses.empty() ||
        std::ranges::count(pod.addresses, packet.source) != 0)
        return false;
    for (const IpAddress& own : pod.addresses)
        if (same_family(own, packet.source) && !is_on_link(packet.source))
            return true;
    return is_known(world, packet.source);
}

static Statutes statutes_over(const World& world, const Pod& pod, direction dir)
{
    return {cluster_policies(world, pod, dir, TIER_ADMIN), isolating_policies(world, pod, dir),
            cluster_policies(world, pod, dir, TIER_BASELINE)};
}

bool is_governed(const World& world, const Pod& pod, direction dir)
{
    return !statutes_over(world, pod, dir).empty();
}

Judgement judge(const World& world, const Packet& packet)
{
    const auto interface =
        std::ranges::find(world.interfaces, packet.ifindex, &LocalInterface::ifindex);
    if (interface == world.interfaces.end() || interface->pod == nullptr)
        return {.allow = false, .why = REASON_UNKNOWN_POD};
    const Pod& pod = *interface->pod;
    if (spoofed(world, packet, pod))
        return {.allow = false, .why = REASON_SPOOFED};
    const Statutes statutes = statutes_over(world, pod, packet.dir);
    if (statutes.empty())
        return {.why = REASON_NO_POLICY};
    if (packet.believed && packet.source == packet.destination)
        return {.why = REASON_SELF};
    if (packet.dir == DIRECTION_INGRESS && world.node_addresses.contains(packet.source))
        return {.why = REASON_NODE};
    return judge_by_rules(world, packet, pod, statutes);
}

} // namespace reference
