// SPDX-License-Identifier: Apache-2.0
#include "analysis/plan_judge.h"
#include "policy/compile.h"
#include "property/check.h"
#include "property/scenario.h"
#include "property/tally.h"
#include "property/verdict.h"

#include <fmt/format.h>

using namespace ebpfd;

namespace property {

static constexpr int worlds = 10000;

static std::string name_of(const PlanRule* rule)
{
    return rule == nullptr ? ""
                           : rule_name(rule->kind, rule->dir, rule->policy_namespace, rule->policy,
                                       rule->index);
}

static Verdict of_judge(const PlanJudge& judge, const reference::Packet& packet)
{
    const bool ingress = packet.dir == DIRECTION_INGRESS;
    const PlanDecision decision = judge.judge({.ifindex = packet.ifindex,
                                               .dir = packet.dir,
                                               .pod = ingress ? packet.destination : packet.source,
                                               .peer = ingress ? packet.source : packet.destination,
                                               .protocol = packet.protocol,
                                               .port = packet.destination_port});
    if (decision.watcher != nullptr)
        return {.allow = decision.allows(),
                .why = decision.rehearsed,
                .rule = name_of(decision.watcher),
                .turned = true,
                .enforced_rule = name_of(decision.rule)};
    if (decision.rule != nullptr && decision.rule->kind == RULE_SELF)
        return {.allow = decision.allows(), .why = REASON_SELF, .rule = {}};
    return {.allow = decision.allows(), .why = decision.why, .rule = name_of(decision.rule)};
}

// Two readings of one Plan, by scans and by indexes, and what the policies mean.
TEST(PlanJudge, AgreesWithPlanAndReferenceOnRandomWorlds)
{
    Tally tally;
    check(worlds, [&](const Scenario& scenario) {
        const Result<Plan> plan = compile(scenario.world);
        if (!plan)
            RC_FAIL("compile: " + plan.error().message);
        const PlanJudge judge(*plan);
        for (const reference::Packet& packet : scenario.packets) {
            const Verdict expected = of_reference(scenario.world, packet);
            const Verdict scanned = of_plan(*plan, packet);
            const Verdict judged = of_judge(judge, packet);
            tally.add(expected);
            if (judged != expected || judged != scanned)
                RC_FAIL(fmt::format("{}\n  reference: {}\n  scanned:   {}\n  judged:    {}",
                                    describe(packet), describe(expected), describe(scanned),
                                    describe(judged)));
        }
    });
    tally.expect_all_reasons(worlds / 50);
}

} // namespace property
