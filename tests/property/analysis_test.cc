// SPDX-License-Identifier: Apache-2.0
#include "analysis/coverage.h"
#include "analysis/explain.h"
#include "policy/compile.h"
#include "property/check.h"
#include "property/scenario.h"
#include "property/verdict.h"

#include <fmt/format.h>
#include <map>

using namespace ebpfd;

namespace property {

static constexpr int worlds = 10000;

// The same rule may be there twice, under one name: it lives if one of them does.
static std::map<std::string, Fate> fates(const Coverage& coverage)
{
    std::map<std::string, Fate> result;
    for (const CoveredRule& rule : coverage.rules) {
        const auto name =
            rule_name(rule.kind, rule.dir, rule.policy_namespace, rule.policy, rule.index);
        const auto [known, fresh] = result.try_emplace(name, rule.fate);
        if (!fresh)
            known->second = std::min(known->second, rule.fate);
    }
    return result;
}

TEST(Coverage, NoRuleThatDecidesIsCalledDead)
{
    size_t dead = 0, deciding = 0;
    check(worlds, [&](const Scenario& scenario) {
        const auto plan = compile(scenario.world);
        if (!plan)
            RC_FAIL("compile: " + plan.error().message);
        const auto known = fates(cover(scenario.world));
        for (const auto& [name, fate] : known)
            ++(is_dead(fate) ? dead : deciding);
        for (const reference::Packet& packet : scenario.packets) {
            const Verdict verdict = of_reference(scenario.world, packet);
            for (const std::string& rule : {verdict.rule, verdict.enforced_rule}) {
                if (rule.empty())
                    continue;
                const auto found = known.find(rule);
                if (found == known.end())
                    RC_FAIL(fmt::format("{}: {} is not listed", describe(packet), rule));
                if (found->second != Fate::decides)
                    RC_FAIL(fmt::format("{}\n  decided by {}, which is called {}", describe(packet),
                                        rule, fate_name(found->second)));
            }
        }
    });
    EXPECT_GT(dead, size_t{worlds});
    EXPECT_GT(deciding, size_t{worlds});
}

static const Pod* pod_of(const World& world, uint32_t ifindex)
{
    for (const LocalInterface& local : world.interfaces)
        if (local.ifindex == ifindex)
            return local.pod.get();
    return nullptr;
}

static bool has_port(const Reached& reached, const reference::Packet& packet)
{
    const bool has_ports = packet.protocol == 6 || packet.protocol == 17 || packet.protocol == 132;
    for (const auto& [protocol, range] : reached.ports) {
        if (!protocol && !has_ports)
            return true;
        if (protocol && static_cast<uint8_t>(*protocol) == packet.protocol &&
            packet.destination_port >= range.first && packet.destination_port <= range.last)
            return true;
    }
    return reached.every_port;
}

static std::string name_of(const Reached& reached)
{
    if (!reached.rule)
        return "";
    const PlanRule& rule = *reached.rule;
    return rule_name(rule.kind, rule.dir, rule.policy_namespace, rule.policy, rule.index);
}

// Whether the explanation has a row that says what the rule decided over this packet.
static bool says(const ExplainedDirection& explained, const reference::Packet& packet, bool allow,
                 const std::string& rule)
{
    return std::ranges::any_of(explained.decided, [&](const Reached& reached) {
        return reached.allows == allow && name_of(reached) == rule && has_port(reached, packet);
    });
}

static bool is_cluster_ip(const World& world, const IpAddress& address)
{
    return std::ranges::any_of(world.services, [&](const auto& service) {
        return std::ranges::count(service->cluster_ips, address) != 0;
    });
}

TEST(Explain, SaysWhatRulesDecideOverPackets)
{
    size_t said = 0;
    check(worlds / 4, [&](const Scenario& scenario) {
        for (const reference::Packet& packet : scenario.packets) {
            const Verdict verdict = of_reference(scenario.world, packet);
            const Pod* pod = pod_of(scenario.world, packet.ifindex);
            const bool by_rule =
                verdict.turned || verdict.why == REASON_RULE || verdict.why == REASON_DENIED;
            const std::string& rule = verdict.turned ? verdict.enforced_rule : verdict.rule;
            if (pod == nullptr || !by_rule || rule.starts_with("isolation") ||
                is_cluster_ip(scenario.world, packet.destination))
                continue;
            const auto explained = explain(scenario.world, pod->key());
            if (!explained || !*explained || (*explained)->directions.empty())
                RC_FAIL("no explanation of " + pod->key());
            if (!says((*explained)->directions[packet.dir], packet, verdict.allow, rule))
                RC_FAIL(fmt::format("{}\n  not said: {}", describe(packet), describe(verdict)));
            ++said;
        }
    });
    EXPECT_GT(said, size_t{worlds} / 4);
}

} // namespace property
