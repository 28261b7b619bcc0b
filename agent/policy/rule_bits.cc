// SPDX-License-Identifier: Apache-2.0
#include "policy/rule_bits.h"

#include "policy/key_writer.h"
#include "policy/named_ports.h"

#include <algorithm>

namespace ebpfd {

namespace {

std::string bit_key(const PlanRule& rule, const RuleBit& bit)
{
    KeyWriter key;
    key.text(rule.key).number(bit.action).number(bit.in_tier);
    key.raw(bit.peers->key).number(bit.any_port);
    key.number(bit.ports.size());
    for (const auto& [protocol, range] : bit.ports)
        key.number(static_cast<uint64_t>(protocol)).number(range.first).number(range.last);
    return key.take();
}

bool every_pod(const PolicyPeer& peer)
{
    return peer.namespaces && peer.namespaces->requirements.empty() &&
           (!peer.pods || peer.pods->requirements.empty());
}

std::string selector_key(const PolicyPeer& peer, const std::string& own_namespace)
{
    KeyWriter key;
    if (peer.namespaces)
        key.text("namespaces").selector(*peer.namespaces);
    else
        key.text("namespace").text(own_namespace);
    return key.selector(peer.pods.value_or(Selector{})).take();
}

std::string rule_key(const RuleSource& source, bool dry_run)
{
    KeyWriter key;
    key.text(source.cluster ? "cluster" : "rule").number(dry_run).number(source.dir);
    key.text(source.policy_namespace()).text(source.policy_name()).number(source.index);
    // What is part of its name in every record; a NetworkPolicy's rules only ever allow.
    return source.cluster ? key.number(source.rule().action).take() : key.take();
}

} // namespace

const PolicyRule& RuleSource::rule() const
{
    if (cluster)
        return cluster->rules(dir)[index];
    return (dir == DIRECTION_INGRESS ? *policy->ingress : *policy->egress)[index];
}

RulePointer RuleSource::pointer() const
{
    return cluster ? RulePointer(cluster, &rule()) : RulePointer(policy, &rule());
}

const std::string& RuleSource::policy_namespace() const
{
    return cluster ? cluster->kind : policy->policy_namespace;
}

const std::string& RuleSource::policy_name() const
{
    return cluster ? cluster->name : policy->name;
}

bool RuleSource::is_rehearsed(const World& world) const
{
    return cluster ? world.rehearses(*cluster) : world.rehearses(*policy);
}

// The addresses stand in the key: a change of nodes is a change of the rule.
void RuleBits::add_nodes(const Selector& selector, PeerSet& set, std::set<std::string>& keys) const
{
    for (const auto& node : world_.nodes) {
        if (!selector.matches(node->labels))
            continue;
        for (const IpAddress& address : node->addresses) {
            set.blocks.push_back({.cidr = {address, 128}, .except = {}});
            keys.insert(KeyWriter().text("block").block(set.blocks.back()).take());
        }
    }
}

void RuleBits::add_peer(const PolicyPeer& peer, const std::string& own_namespace, PeerSet& set,
                        std::set<std::string>& keys)
{
    if (peer.block) {
        set.blocks.push_back(*peer.block);
        keys.insert(KeyWriter().text("block").block(*peer.block).take());
    } else if (peer.nodes) {
        add_nodes(*peer.nodes, set, keys);
    } else if (every_pod(peer)) {
        set.any_pod = true;
        keys.insert(KeyWriter().text("pods").take());
    } else {
        set.identities |= identities_.select(peer, own_namespace);
        keys.insert(selector_key(peer, own_namespace));
    }
}

std::shared_ptr<const PeerSet> RuleBits::peers(const RuleSource& source)
{
    const RulePointer rule = source.pointer();
    const auto known = peers_.find(rule);
    if (known != peers_.end())
        return known->second.set;
    auto set = std::make_shared<PeerSet>();
    set->any_peer = rule->peers.empty() && !rule->nobody;
    std::set<std::string> keys;
    for (const PolicyPeer& peer : rule->peers)
        add_peer(peer, source.policy_namespace(), *set, keys);
    KeyWriter key;
    key.number(set->any_peer).number(keys.size());
    for (const std::string& one : keys)
        key.raw(one);
    set->key = key.take();
    return peers_.emplace(rule, CachedPeers{source, std::move(set)}).first->second.set;
}

RuleBit RuleBits::make_bit(const RuleSource& source)
{
    return {.rule = add_rule(source),
            .action = source.rule().action,
            .in_tier = source.in_tier(),
            .peers = peers(source),
            .any_port = source.rule().ports.empty(),
            .watching = source.is_rehearsed(world_),
            .ports = {},
            .key = {}};
}

std::vector<RuleBitPointer> RuleBits::ingress(const RuleSource& source,
                                              const std::vector<NamedPort>& pod_ports)
{
    const auto& wanted = source.rule().ports;
    BitKey key{source.pointer(), merged(resolve(wanted, pod_ports))};
    if (key.second.empty() && !wanted.empty())
        return {};
    const auto known = ingress_.find(key);
    if (known != ingress_.end())
        return {known->second};
    RuleBit bit = make_bit(source);
    bit.ports = key.second;
    return {ingress_.emplace(std::move(key), finish(std::move(bit))).first->second};
}

const std::vector<RuleBitPointer>& RuleBits::egress(const RuleSource& source)
{
    const PolicyRule& rule = source.rule();
    const auto [known, fresh] = egress_.try_emplace(source.pointer());
    if (!fresh)
        return known->second;
    RuleBit bit = make_bit(source);
    bit.ports = merged(resolve(rule.ports, {}));
    if (bit.any_port || !bit.ports.empty())
        known->second.push_back(finish(bit));
    for (RuleBit& named : named_bits(bit, rule))
        known->second.push_back(finish(std::move(named)));
    return known->second;
}

std::vector<RuleBit> RuleBits::named_bits(const RuleBit& model, const PolicyRule& rule)
{
    std::vector<RuleBit> result;
    for (auto& [span, peers] : resolve_on_peers(rule.ports, *model.peers, identities_)) {
        RuleBit bit = model;
        bit.peers = std::make_shared<PeerSet>(std::move(peers));
        bit.ports = {span};
        result.push_back(std::move(bit));
    }
    return result;
}

RuleBitPointer RuleBits::isolation(const NetworkPolicies& policies, direction dir)
{
    PlanRule rule{.key = {},
                  .kind = RULE_ISOLATION,
                  .dir = dir,
                  .action = ACTION_DENY,
                  .dry_run = world_.rehearses(*policies.front()),
                  .policy_namespace = policies.front()->policy_namespace,
                  .policy = {},
                  .origin = policies.front()->origin};
    for (const NetworkPolicyPointer& policy : policies)
        rule.policy += (rule.policy.empty() ? "" : ",") + policy->name;
    rule.key = KeyWriter()
                   .text("isolation")
                   .number(rule.dry_run)
                   .number(dir)
                   .text(rule.policy_namespace)
                   .text(rule.policy)
                   .take();
    auto everyone = std::make_shared<PeerSet>();
    everyone->any_peer = true;
    everyone->key = KeyWriter().number(1).number(0).take();
    const bool watching = rule.dry_run;
    return isolations_.emplace_back(finish({.rule = intern(std::move(rule)),
                                            .action = ACTION_DENY,
                                            .in_tier = TIER_NETWORK_POLICY,
                                            .peers = std::move(everyone),
                                            .any_port = true,
                                            .watching = watching,
                                            .ports = {},
                                            .key = {}}));
}

std::shared_ptr<const uint32_t> RuleBits::self_rule()
{
    auto self = self_.lock();
    if (!self) {
        self = std::make_shared<uint32_t>(intern({.key = KeyWriter().text("self").take(),
                                                  .kind = RULE_SELF,
                                                  .dir = DIRECTION_EGRESS,
                                                  .policy_namespace = {},
                                                  .policy = {},
                                                  .origin = {}}));
        self_ = self;
    }
    return self;
}

uint32_t RuleBits::add_rule(const RuleSource& source)
{
    const bool dry_run = source.is_rehearsed(world_);
    return intern({.key = rule_key(source, dry_run),
                   .kind = source.cluster ? RULE_CLUSTER_POLICY : RULE_NETWORK_POLICY,
                   .dir = source.dir,
                   .action = source.rule().action,
                   .index = static_cast<uint16_t>(source.index),
                   .dry_run = dry_run,
                   .policy_namespace = source.policy_namespace(),
                   .policy = source.policy_name(),
                   .origin = source.rule().origin});
}

// A rule that is known keeps its place, with what is said of it now.
uint32_t RuleBits::intern(PlanRule rule)
{
    const auto [known, fresh] = rule_numbers_.try_emplace(rule.key);
    if (fresh) {
        known->second = static_cast<uint32_t>(rules_.size());
        if (!free_rules_.empty()) {
            known->second = free_rules_.back();
            free_rules_.pop_back();
        }
    }
    const uint32_t number = known->second;
    if (fresh || rules_[number] != rule)
        rules_.put(number, std::make_shared<const PlanRule>(std::move(rule)));
    return number;
}

RuleBitPointer RuleBits::finish(RuleBit bit) const
{
    bit.key = bit_key(rules_[bit.rule], bit);
    return std::make_shared<const RuleBit>(std::move(bit));
}

void RuleBits::follow(const IdentityChanges& changes)
{
    if (changes.has_identities())
        for (const auto& [rule, peers] : peers_)
            follow(changes, peers);
    std::erase_if(egress_, [](const auto& entry) { return has_named_port(entry.first->ports); });
}

void RuleBits::follow(const IdentityChanges& changes, const CachedPeers& peers) const
{
    PeerSet& set = *peers.set;
    if (set.any_peer || set.any_pod)
        return;
    for (const uint32_t number : changes.gone)
        set.identities.clear(number);
    const auto selects = [&](const PolicyPeer& peer, uint32_t number) {
        return !peer.block && !peer.nodes &&
               identities_.selects(peer, peers.source.policy_namespace(), number);
    };
    for (const uint32_t number : changes.fresh)
        if (std::ranges::any_of(peers.source.rule().peers,
                                [&](const auto& peer) { return selects(peer, number); }))
            set.identities.set(number);
}

void RuleBits::sweep()
{
    const auto unused = [](const auto& pointer) { return pointer.use_count() == 1; };
    std::vector<bool> used(rules_.size());
    const auto goes = [&](const RuleBitPointer& bit) {
        if (unused(bit))
            return true;
        used[bit->rule] = true;
        return false;
    };
    std::erase_if(ingress_, [&](const auto& entry) { return goes(entry.second); });
    std::erase_if(egress_, [&](const auto& entry) {
        if (std::ranges::all_of(entry.second, unused))
            return true;
        for (const RuleBitPointer& bit : entry.second)
            used[bit->rule] = true;
        return false;
    });
    std::erase_if(isolations_, goes);
    std::erase_if(peers_, [&](const auto& entry) { return unused(entry.second.set); });
    if (const auto self = self_.lock())
        used[*self] = true;
    sweep_rules(used);
}

void RuleBits::sweep_rules(const std::vector<bool>& used)
{
    for (uint32_t number = 0; number < used.size(); ++number) {
        if (used[number] || rules_.part(number) == nullptr)
            continue;
        rule_numbers_.erase(rules_[number].key);
        rules_.put(number, nullptr);
        free_rules_.push_back(number);
    }
}

} // namespace ebpfd
