// SPDX-License-Identifier: Apache-2.0
#include "policy/identities.h"

#include "model/difference.h"
#include "policy/key_writer.h"

#include <algorithm>

namespace ebpfd {

namespace {

constexpr std::string_view NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

using PodPointer = std::shared_ptr<const Pod>;

std::vector<NamedPort> sorted_ports(const Pod& pod)
{
    std::set<NamedPort> ports(pod.ports.begin(), pod.ports.end());
    return {ports.begin(), ports.end()};
}

std::string identity_key(const std::string& namespace_key, const Pod& pod,
                         const std::vector<NamedPort>& ports)
{
    KeyWriter key;
    key.text("pod").raw(namespace_key).labels(pod.labels);
    key.number(ports.size());
    for (const NamedPort& port : ports)
        key.text(port.name).number(static_cast<uint64_t>(port.protocol)).number(port.number);
    return key.take();
}

} // namespace

Identities::Identities(const World& world)
{
    update({}, world);
}

IdentityChanges Identities::update(const World& before, const World& now)
{
    free_.insert(free_.end(), freed_.begin(), freed_.end());
    freed_.clear();
    IdentityChanges changes;
    const auto relabelled = describe_namespaces(before, now);
    changes.addresses = change_claims(before, now);
    touch_members(relabelled, changes.addresses);
    // In their order, so that the numbers of a first update do not depend on the World's.
    AddressChanges moved;
    for (const IpAddress& address : changes.addresses) {
        const auto claim = claims_.find(address);
        settle_claim(address, claim->second, changes, moved);
        if (claim->second.holder == nullptr)
            claims_.erase(claim);
    }
    drop_unused(changes);
    change_addresses(moved);
    if (changes.has_identities() || !relabelled.empty())
        forget_selections();
    return changes;
}

std::set<uint32_t> Identities::describe_namespaces(const World& before, const World& now)
{
    std::map<std::string_view, const Labels*> touched; // nullptr: nobody describes it
    for_each_difference(
        before.namespaces, now.namespaces,
        [&](const auto& gone) { touched.emplace(gone->name, nullptr); },
        [&](const auto& fresh) { touched.emplace(fresh->name, nullptr); });
    if (!touched.empty())
        for (const auto& space : now.namespaces)
            if (const auto one = touched.find(space->name); one != touched.end())
                one->second = &space->labels;
    std::set<uint32_t> relabelled;
    for (const auto& [one, labels] : touched) {
        const std::string text(one);
        if (describe(text, labels == nullptr ? Labels{} : *labels))
            relabelled.insert(space_of(text).number);
    }
    return relabelled;
}

Identities::Space& Identities::space_of(const std::string& name)
{
    const auto [entry, fresh] = spaces_.try_emplace(name);
    if (fresh) {
        entry->second.name = name;
        entry->second.number = static_cast<uint32_t>(space_list_.size());
        space_list_.push_back(&entry->second);
        members_.emplace_back();
        describe(name, {});
    }
    return entry->second;
}

// Returns whether its labels have changed.
bool Identities::describe(const std::string& name, Labels labels)
{
    Space& space = space_of(name);
    labels.try_emplace(std::string(NAMESPACE_NAME_LABEL), name);
    if (space.labels == labels)
        return false;
    namespace_index_.remove(space.number, space.labels);
    namespace_index_.add(space.number, labels);
    space.labels = std::move(labels);
    space.key = KeyWriter().text(name).labels(space.labels).take();
    return true;
}

// Returns the addresses that pods have come to show, or ceased to.
std::set<IpAddress> Identities::change_claims(const World& before, const World& now)
{
    std::set<IpAddress> touched;
    const auto each_address = [&](const Pod& pod, auto change) {
        for (const IpAddress& address : pod.addresses) {
            // A node's address that a pod of its host network shows is no pod's.
            if (pod.finished || now.node_addresses.contains(address))
                continue;
            touched.insert(address);
            (this->*change)(address, pod);
        }
    };
    for_each_difference(
        before.pods, now.pods,
        [&](const PodPointer& gone) { each_address(*gone, &Identities::withdraw); },
        [&](const PodPointer& fresh) {
            space_of(fresh->pod_namespace);
            each_address(*fresh, &Identities::claim);
        });
    for (const LocalInterface& local : now.interfaces)
        if (local.pod != nullptr)
            space_of(local.pod->pod_namespace);
    return touched;
}

void Identities::claim(const IpAddress& address, const Pod& pod)
{
    Claim& claim = claims_[address];
    const Pod* rival = &pod;
    if (claim.holder == nullptr || is_newer(pod, *claim.holder))
        std::swap(claim.holder, rival);
    if (rival != nullptr)
        claim.rivals.push_back(rival);
}

void Identities::withdraw(const IpAddress& address, const Pod& pod)
{
    Claim& claim = claims_[address];
    const auto rival = std::ranges::find(claim.rivals, &pod);
    if (rival != claim.rivals.end()) {
        claim.rivals.erase(rival);
        return;
    }
    if (claim.holder != &pod)
        return;
    const auto next = std::ranges::min_element(
        claim.rivals, [](const Pod* one, const Pod* other) { return is_newer(*one, *other); });
    claim.holder = next == claim.rivals.end() ? nullptr : *next;
    if (next != claim.rivals.end())
        claim.rivals.erase(next);
}

// Those of pods in these namespaces: their identity says its labels.
void Identities::touch_members(const std::set<uint32_t>& spaces, std::set<IpAddress>& touched) const
{
    if (spaces.empty())
        return;
    for (const auto& [address, number] : addresses_)
        if (spaces.contains(identities_[number].in_namespace))
            touched.insert(address);
}

void Identities::settle_claim(const IpAddress& address, Claim& claim, IdentityChanges& changes,
                              AddressChanges& moved)
{
    note_contest(address, claim);
    std::optional<uint32_t> identity;
    if (claim.owner() != nullptr)
        identity = intern(*claim.owner(), changes);
    if (identity == claim.identity)
        return;
    if (identity)
        ++identities_[*identity].addresses;
    if (claim.identity && --identities_[*claim.identity].addresses == 0)
        changes.gone.push_back(*claim.identity);
    claim.identity = identity;
    moved[address] = identity;
}

void Identities::note_contest(const IpAddress& address, const Claim& claim)
{
    const Pod* owner = claim.owner();
    const bool contested =
        owner != nullptr && std::ranges::any_of(claim.rivals, [&](const Pod* rival) {
            return !rival->host_network && rival->order() != owner->order();
        });
    if (contested)
        contested_.insert(address);
    else
        contested_.erase(address);
}

uint32_t Identities::intern(const Pod& pod, IdentityChanges& changes)
{
    const Space& space = space_of(pod.pod_namespace);
    auto ports = sorted_ports(pod);
    auto key = identity_key(space.key, pod, ports);
    if (const auto known = numbers_.find(key); known != numbers_.end())
        return known->second;
    const uint32_t number = take_number(std::move(key));
    // The labels live as long as the identity, whatever becomes of the pod.
    identities_[number] = {.labels = std::make_shared<const Labels>(pod.labels),
                           .ports = std::move(ports),
                           .in_namespace = space.number};
    numbers_.emplace(this->key(number), number);
    members_[space.number].set(number);
    pod_index_.add(number, pod.labels);
    changes.fresh.push_back(number);
    return number;
}

uint32_t Identities::take_number(std::string key)
{
    auto number = static_cast<uint32_t>(identities_.size());
    if (free_.empty()) {
        identities_.emplace_back();
    } else {
        number = free_.back();
        free_.pop_back();
    }
    parts_.put(number, std::make_shared<const PlanIdentity>(PlanIdentity{std::move(key)}));
    return number;
}

void Identities::give_back(uint32_t number)
{
    identities_[number] = {};
    parts_.put(number, nullptr);
    freed_.push_back(number);
}

// Of those that lost their last address, the ones that have not got another since.
void Identities::drop_unused(IdentityChanges& changes)
{
    std::erase_if(changes.gone,
                  [&](uint32_t number) { return identities_[number].addresses != 0; });
    std::ranges::sort(changes.gone);
    const auto rest = std::ranges::unique(changes.gone);
    changes.gone.erase(rest.begin(), rest.end());
    for (const uint32_t number : changes.gone) {
        const Identity& one = identities_[number];
        pod_index_.remove(number, *one.labels);
        members_[one.in_namespace].clear(number);
        numbers_.erase(key(number));
        give_back(number);
    }
}

void Identities::change_addresses(const AddressChanges& moved)
{
    if (moved.empty())
        return;
    std::vector<std::pair<IpAddress, uint32_t>> result;
    result.reserve(addresses_.size() + moved.size());
    auto old = addresses_.begin();
    for (const auto& [address, identity] : moved) {
        const auto place = std::lower_bound(
            old, addresses_.end(), address,
            [](const auto& entry, const IpAddress& wanted) { return entry.first < wanted; });
        result.insert(result.end(), old, place);
        old = place != addresses_.end() && place->first == address ? place + 1 : place;
        if (identity)
            result.emplace_back(address, *identity);
    }
    result.insert(result.end(), old, addresses_.end());
    addresses_ = std::move(result);
}

void Identities::forget_selections()
{
    pod_index_.forget_selections();
    namespace_index_.forget_selections();
    by_namespaces_.clear();
}

uint32_t Identities::add_service(std::string key)
{
    return take_number(std::move(key));
}

void Identities::remove_service(uint32_t number)
{
    give_back(number);
}

const Labels* Identities::labels_of_namespace(const std::string& name) const
{
    const auto found = spaces_.find(name);
    return found == spaces_.end() ? nullptr : &found->second.labels;
}

std::vector<std::string> Identities::warnings() const
{
    std::vector<std::string> result;
    for (const IpAddress& address : contested_)
        result.push_back("several pods show the address " + address.text() + ": " +
                         owner(address)->key() + ", the newest one, owns it");
    return result;
}

const Pod* Identities::owner(const IpAddress& address) const
{
    const auto found = claims_.find(address);
    return found == claims_.end() ? nullptr : found->second.owner();
}

std::optional<uint32_t> Identities::find(const IpAddress& address) const
{
    const auto found = claims_.find(address);
    return found == claims_.end() ? std::nullopt : found->second.identity;
}

const Bitset& Identities::in_namespaces(const Selector& selector)
{
    const auto known = by_namespaces_.find(selector);
    if (known != by_namespaces_.end())
        return known->second;
    Bitset result(identities_.size());
    namespace_index_.select(selector).for_each(
        [&](uint32_t number) { result |= members_[number]; });
    return by_namespaces_.emplace(selector, std::move(result)).first->second;
}

Bitset Identities::select(const PolicyPeer& peer, const std::string& own_namespace)
{
    Bitset result = pod_index_.select(peer.pods.value_or(Selector{}));
    if (peer.namespaces) {
        result &= in_namespaces(*peer.namespaces);
        return result;
    }
    const auto own = spaces_.find(own_namespace);
    if (own == spaces_.end())
        return {};
    result &= members_[own->second.number];
    return result;
}

bool Identities::selects(const PolicyPeer& peer, const std::string& own_namespace,
                         uint32_t number) const
{
    const Identity& one = identities_[number];
    if (one.labels == nullptr || (peer.pods && !peer.pods->matches(*one.labels)))
        return false;
    const Space& space = *space_list_[one.in_namespace];
    return peer.namespaces ? peer.namespaces->matches(space.labels) : space.name == own_namespace;
}

} // namespace ebpfd
