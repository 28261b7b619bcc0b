// SPDX-License-Identifier: Apache-2.0
#include "policy/compile.h"
#include "property/check.h"
#include "property/kernel_node.h"
#include "property/scenario.h"
#include "property/tally.h"

#include <fmt/format.h>

using namespace ebpfd;

namespace property {

static constexpr int worlds = 600;
static constexpr int worlds_per_start = 25;

// One datapath for all worlds: each is applied over the one before, as changes of policy are,
// with a restart of the agent now and then.
TEST(Kernel, AgreesWithPlanAndReferenceOnRandomWorlds)
{
    KernelNode node;
    Tally tally;
    int applied = 0;
    check(worlds, [&](const Scenario& scenario) {
        const Result<Plan> plan = compile(scenario.world);
        if (!plan)
            RC_FAIL("compile: " + plan.error().message);
        if (++applied % worlds_per_start == 0)
            node.restart();
        node.enforce(*plan);
        for (const reference::Packet& packet : scenario.packets) {
            const Verdict expected = of_reference(scenario.world, packet);
            const Verdict compiled = of_plan(*plan, packet);
            const Verdict traced = node.traced(packet);
            const Verdict passed = node.passed(packet);
            tally.add(expected);
            if (compiled != expected || traced != expected || passed != expected)
                RC_FAIL(fmt::format(
                    "{}\n  reference: {}\n  compiled:  {}\n  traced:    {}\n  passed:    {}",
                    describe(packet), describe(expected), describe(compiled), describe(traced),
                    describe(passed)));
        }
    });
    tally.expect_all_reasons(worlds / 50);
}

} // namespace property
