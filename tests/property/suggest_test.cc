// SPDX-License-Identifier: Apache-2.0
#include "analysis/impact.h"
#include "analysis/suggestion.h"
#include "policy/compile.h"
#include "policy/network_policy.h"
#include "property/check.h"
#include "property/scenario.h"
#include "source/parse.h"

#include <algorithm>
#include <fmt/format.h>

using namespace ebpfd;

namespace property {

static constexpr int worlds = 4000;

static Plan compile_or_fail(const World& world)
{
    Result<Plan> plan = compile(world);
    if (!plan)
        RC_FAIL("compile: " + plan.error().message);
    return std::move(*plan);
}

static Sighting sighting_of(const reference::Packet& packet)
{
    const bool ingress = packet.dir == DIRECTION_INGRESS;
    Sighting sighting;
    sighting.question = {.ifindex = packet.ifindex,
                         .dir = packet.dir,
                         .pod = ingress ? packet.destination : packet.source,
                         .peer = ingress ? packet.source : packet.destination,
                         .protocol = packet.protocol,
                         .port = packet.destination_port};
    sighting.source_port = packet.source_port;
    sighting.passed = true;
    return sighting;
}

// Pods that have finished have no interface any more, except in random worlds.
static bool is_alive(const World& world, uint32_t ifindex)
{
    return std::ranges::any_of(world.interfaces, [&](const LocalInterface& local) {
        return local.ifindex == ifindex && local.pod != nullptr && !local.pod->finished;
    });
}

// What passes in this world.
static std::vector<Connection> passing(const Scenario& scenario, const Plan& plan,
                                       const AddressBook& book)
{
    const PlanJudge judge(plan);
    std::vector<Sighting> seen;
    for (const reference::Packet& packet : scenario.packets) {
        const Sighting sighting = sighting_of(packet);
        if (is_alive(scenario.world, packet.ifindex) && judge.judge(sighting.question).allows())
            seen.push_back(sighting);
    }
    return join(seen, book);
}

static World with(World world, const std::string& yaml)
{
    const auto documents = parse_documents(yaml, "suggested.yaml");
    if (!documents)
        RC_FAIL(documents.error().text() + "\n" + yaml);
    for (const Document& document : *documents) {
        auto policy = decode_network_policy(document);
        if (!policy)
            RC_FAIL(policy.error().front().text() + "\n" + yaml);
        world.policies.push_back(std::make_shared<NetworkPolicy>(std::move(*policy)));
    }
    return world;
}

static void expect_no_cut(const Plan& before, const World& after,
                          const std::vector<Connection>& connections, const AddressBook& book,
                          const std::string& yaml)
{
    const Impact impact = compare_rulings(before, compile_or_fail(after), connections, book);
    if (impact.cut == 0)
        return;
    const ImpactGroup& group = impact.groups.front();
    RC_FAIL(fmt::format("cut: {} -> {} port {}/{}\n{}", group.example.source.text(),
                        group.example.destination.text(), group.port, group.protocol, yaml));
}

TEST(Suggest, LetsAllBeThatPassedInRandomWorlds)
{
    size_t policies = 0;
    check(worlds, [&](const Scenario& scenario) {
        const Plan plan = compile_or_fail(scenario.world);
        const AddressBook book(scenario.world);
        const auto connections = passing(scenario, plan, book);
        SuggestionScope scope;
        scope.isolate = scenario.packets.size() % 2 == 0;
        std::string yaml;
        for (const Suggestion& suggestion : suggest(connections, book, scope)) {
            yaml += yaml_of(suggestion);
            policies++;
        }
        if (yaml.empty())
            return;
        expect_no_cut(plan, with(scenario.world, yaml), connections, book, yaml);
        World alone = scenario.world;
        alone.policies = {};
        expect_no_cut(plan, with(alone, yaml), connections, book, yaml);
    });
    EXPECT_GT(policies, size_t{worlds});
}

} // namespace property
