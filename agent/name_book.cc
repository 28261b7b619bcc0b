// SPDX-License-Identifier: Apache-2.0
#include "name_book.h"

#include "model/difference.h"
#include "model/names.h"

#include <cstring>
#include <unordered_set>
#include <utility>

namespace ebpfd {
namespace {

constexpr size_t kept_names = 4096;

using PodPointer = std::shared_ptr<const Pod>;

// Of these addresses; nullptr: nobody's.
using Owners = std::unordered_map<IpAddress, PodPointer>;

void find_owners(const World& world, Owners& owners)
{
    for (const auto& pod : world.pods) {
        if (pod->finished || pod->host_network)
            continue;
        for (const auto& address : pod->addresses)
            if (const auto entry = owners.find(address);
                entry != owners.end() && (!entry->second || is_newer(*pod, *entry->second)))
                entry->second = pod;
    }
}

std::unordered_map<uint32_t, PodPointer> local_pods(const World& world)
{
    std::unordered_map<uint32_t, PodPointer> out;
    for (const auto& interface : world.interfaces)
        out[interface.ifindex] = interface.pod;
    return out;
}

// The labels live as long as their pod, which the world has as well: no copy for each name.
std::shared_ptr<const Labels> labels_of(const PodPointer& pod)
{
    return pod ? std::shared_ptr<const Labels>(pod, &pod->labels) : nullptr;
}

std::shared_ptr<const RuleName> name_of(const rule_info& rule)
{
    return std::make_shared<RuleName>(RuleName{.policy_namespace = text_of(rule.policy_namespace),
                                               .policy = text_of(rule.policy),
                                               .kind = static_cast<rule_kind>(rule.kind),
                                               .dir = static_cast<direction>(rule.direction),
                                               .index = rule.index,
                                               .file = text_of(rule.file),
                                               .line = rule.line});
}

// Takes over what the new map lacks, but no more than so many of them.
template <class Map> void keep_old(Map& names, const Map& before, std::deque<uint32_t>& old)
{
    const std::unordered_set<uint32_t> known(old.begin(), old.end());
    for (const auto& [number, name] : before)
        if (names.try_emplace(number, name).second && !known.contains(number))
            old.push_back(number);
    for (; old.size() > kept_names; old.pop_front())
        names.erase(old.front());
}

// Numbers that have come back into use are old no more.
template <class Map> void forget_reused(const Map& names, std::deque<uint32_t>& old)
{
    std::erase_if(old, [&](uint32_t number) { return names.contains(number); });
}

} // namespace

RuleName rule_name(const rule_info& rule)
{
    return *name_of(rule);
}

NameBook::NameBook(const std::map<uint32_t, std::string>& drop_reasons)
{
    auto names = std::make_shared<Names>();
    for (const auto& [number, name] : drop_reasons)
        names->drop_reasons[number] = std::make_shared<std::string>(name);
    names_ = std::move(names);
}

void NameBook::name_interfaces(const World& world, const Plan& plan, Names& names)
{
    const auto locals = local_pods(world);
    const auto known = std::exchange(endpoints_, {});
    for (size_t place = 0; place < plan.endpoints.size(); ++place) {
        const auto& part = plan.endpoints.part(place);
        endpoints_[part->ifindex] = part;
        const auto local = locals.find(part->ifindex);
        const auto labels = local == locals.end() ? nullptr : labels_of(local->second);
        const auto before = known.find(part->ifindex);
        if (before != known.end() && before->second == part) {
            const auto& name = names_->interfaces.at(part->ifindex);
            if (name->labels == labels) {
                names.interfaces[part->ifindex] = name;
                continue;
            }
        }
        names.interfaces[part->ifindex] =
            std::make_shared<PodName>(PodName{.pod_namespace = part->pod_namespace,
                                              .pod = part->pod,
                                              .interface = part->interface,
                                              .labels = labels});
    }
}

void NameBook::name_addresses(const World& world, Names& names)
{
    if (!std::exchange(adopted_, false)) // else all of the world's are named anew
        names.addresses = names_->addresses;
    Owners owners;
    const auto touch = [&](const PodPointer& pod) {
        for (const IpAddress& address : pod->addresses)
            owners.emplace(address, nullptr);
    };
    for_each_difference(pods_, world.pods, touch, touch);
    pods_ = world.pods;
    if (owners.empty())
        return;
    find_owners(world, owners);
    for (const auto& [address, pod] : owners)
        names.addresses[address] =
            pod == nullptr ? nullptr
                           : std::make_shared<PodName>(PodName{.pod_namespace = pod->pod_namespace,
                                                               .pod = pod->name,
                                                               .interface = "",
                                                               .labels = labels_of(pod)});
    names.addresses.settle();
}

void NameBook::name_rules(const RuleInfos& rules, Names& names)
{
    const auto known = std::exchange(rules_, {});
    for (const auto& [number, info] : rules) {
        rules_[number] = info;
        const auto before = known.find(number);
        names.rules[number] = before != known.end() && before->second == info
                                  ? names_->rules.at(number)
                                  : name_of(*info);
    }
}

std::shared_ptr<const Names> NameBook::adopt(const Endpoints& endpoints, const RuleInfos& rules)
{
    auto names = std::make_shared<Names>();
    names->drop_reasons = names_->drop_reasons;
    for (const auto& [ifindex, row] : endpoints) {
        if (row.pod[0] == '\0')
            continue;
        const auto name =
            std::make_shared<PodName>(PodName{.pod_namespace = text_of(row.pod_namespace),
                                              .pod = text_of(row.pod),
                                              .interface = text_of(row.interface)});
        names->interfaces[ifindex] = name;
        for (const auto& bytes : row.address)
            if (const IpAddress address = address_of(bytes); address != IpAddress{})
                names->addresses[address] = name;
    }
    name_rules(rules, *names);
    names_ = names;
    adopted_ = true;
    return names;
}

std::shared_ptr<const Names> NameBook::update(const World& world, const Plan& plan,
                                              const RuleInfos& rules)
{
    auto names = std::make_shared<Names>();
    names->drop_reasons = names_->drop_reasons;
    name_interfaces(world, plan, *names);
    name_addresses(world, *names);
    name_rules(rules, *names);
    forget_reused(names->interfaces, old_interfaces_);
    forget_reused(names->rules, old_rules_);
    keep_old(names->interfaces, names_->interfaces, old_interfaces_);
    keep_old(names->rules, names_->rules, old_rules_);
    names_ = names;
    return names;
}

} // namespace ebpfd
