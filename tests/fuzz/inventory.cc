// SPDX-License-Identifier: Apache-2.0
// Inventory files, down to a plan in which each of their pods is local.
#include "fuzz/documents.h"
#include "fuzz/target.h"
#include "policy/compile.h"

using namespace ebpfd;

namespace fuzz {
namespace {

std::shared_ptr<const NetworkPolicy> deny_all()
{
    auto policy = std::make_shared<NetworkPolicy>();
    policy->name = "deny";
    policy->ingress.emplace();
    policy->egress.emplace();
    return policy;
}

World make_world(FileContent content)
{
    ObjectStore store;
    store.set("file.yaml", std::move(content));
    const auto all = store.in_force();
    World world;
    world.policies.push_back(deny_all());
    world.pods = all.pods;
    world.namespaces = all.namespaces;
    world.services = all.services;
    world.slices = all.slices;
    world.nodes = all.nodes;
    for (const auto& pod : world.pods)
        if (!pod->host_network && !pod->finished)
            world.interfaces.push_back(
                {static_cast<uint32_t>(world.interfaces.size() + 1), "veth", pod});
    return world;
}

} // namespace

void try_input(std::string_view input)
{
    FileContent content = read_twice(input, FolderKind::inventory);
    if (content.errors.empty()) {
        const World world = make_world(std::move(content));
        const Result<Plan> plan = compile(world);
        expect(plan.has_value(), "an inventory alone cannot make a plan impossible");
        expect(plan->endpoints.size() == world.interfaces.size(), "each local pod is an endpoint");
    }
}

} // namespace fuzz
