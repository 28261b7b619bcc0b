// SPDX-License-Identifier: Apache-2.0
#include "property/scenario.h"
#include "property/vocabulary.h"

#include <algorithm>

using namespace ebpfd;

namespace property {

template <class T> using List = SharedList<std::shared_ptr<const T>>;

static auto in_order = [](const auto& object) { return object->order(); };

// Puts an object in its place, in place of the one of the same name.
template <class T> static void put(List<T>& list, const std::shared_ptr<const T>& object)
{
    auto& objects = list.edit();
    const auto at = std::ranges::lower_bound(objects, object->order(), {}, in_order);
    if (at != objects.end() && (*at)->order() == object->order())
        *at = object;
    else
        objects.insert(at, object);
}

// Another object, one less, or the same one written anew.
template <class T> static void change(Dice& dice, List<T>& list, const List<T>& others)
{
    const size_t what = dice.below(100);
    if (what < 50 && !others.empty()) {
        put(list, dice.pick(others));
    } else if (!list.empty() && what < 80) {
        auto& objects = list.edit();
        objects.erase(objects.begin() + static_cast<std::ptrdiff_t>(dice.below(objects.size())));
    } else if (!list.empty()) {
        put(list, std::shared_ptr<const T>(std::make_shared<T>(*dice.pick(list))));
    }
}

// Interfaces get the pods as the inventory has them, as far as it does.
static void follow_pods(Dice& dice, World& world)
{
    for (LocalInterface& interface : world.interfaces)
        for (const auto& pod : world.pods)
            if (interface.pod && pod->key() == interface.pod->key() && dice.chance(90))
                interface.pod = pod;
}

static void change_dry_run(Dice& dice, World& world)
{
    if (world.policies.empty())
        return;
    auto policy = std::make_shared<NetworkPolicy>(*dice.pick(world.policies));
    policy->dry_run = !policy->dry_run;
    put<NetworkPolicy>(world.policies, policy);
}

static void relabel(Dice& dice, World& world, const World& other)
{
    if (other.namespaces.empty() || world.namespaces.empty())
        return;
    auto space = std::make_shared<Namespace>(*dice.pick(world.namespaces));
    space->labels = dice.pick(other.namespaces)->labels;
    space->labels["kubernetes.io/metadata.name"] = space->name;
    put<Namespace>(world.namespaces, space);
}

void sort_objects(World& world)
{
    const auto sort = [](auto& list) { std::ranges::sort(list.edit(), {}, in_order); };
    sort(world.policies);
    sort(world.cluster_policies);
    sort(world.pods);
    sort(world.namespaces);
    sort(world.services);
    sort(world.slices);
    sort(world.nodes);
}

void change_world(Dice& dice, World& world)
{
    World other = random_world(dice);
    const size_t what = dice.below(100);
    if (what < 25)
        change(dice, world.policies, other.policies);
    else if (what < 33)
        change_dry_run(dice, world);
    else if (what < 55)
        change(dice, world.pods, other.pods);
    else if (what < 62)
        relabel(dice, world, other);
    else if (what < 67)
        change(dice, world.namespaces, other.namespaces);
    else if (what < 72)
        change(dice, world.services, other.services);
    else if (what < 79)
        change(dice, world.slices, other.slices);
    else if (what < 84 && !world.cluster_policies.empty())
        change(dice, world.cluster_policies, other.cluster_policies);
    else if (what < 86)
        change(dice, world.nodes, other.nodes);
    else if (what < 89)
        world.node_addresses = other.node_addresses;
    else if (what < 96)
        world.interfaces = other.interfaces;
    else if (what < 97)
        world.audit = !world.audit;
    else if (what < 98 && !world.policies.empty()) // no folder gives two of one name
        world.policies.push_back(dice.pick(world.policies));
    else
        world.cluster_policies = {};
    follow_pods(dice, world);
}

} // namespace property
