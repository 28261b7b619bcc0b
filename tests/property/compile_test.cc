// SPDX-License-Identifier: Apache-2.0
#include "policy/compile.h"
#include "property/check.h"
#include "property/plan_form.h"
#include "property/scenario.h"
#include "property/tally.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace ebpfd;

namespace property {

static constexpr int worlds = 40000;

static Plan compile_or_fail(const World& world)
{
    Result<Plan> plan = compile(world);
    if (!plan)
        RC_FAIL("compile: " + plan.error().message);
    return std::move(*plan);
}

TEST(Compile, AgreesWithReferenceOnRandomWorlds)
{
    Tally tally;
    check(worlds, [&](const Scenario& scenario) {
        const Plan plan = compile_or_fail(scenario.world);
        for (const reference::Packet& packet : scenario.packets) {
            const Verdict expected = of_reference(scenario.world, packet);
            const Verdict compiled = of_plan(plan, packet);
            tally.add(expected);
            if (compiled != expected)
                RC_FAIL(fmt::format("{}\n  reference: {}\n  compiled:  {}", describe(packet),
                                    describe(expected), describe(compiled)));
        }
    });
    tally.expect_all_reasons(worlds / 50);
}

TEST(Compile, PlansOfRandomWorldsAreWellFormed)
{
    check(worlds / 40, [](const Scenario& scenario) {
        const auto complaints = malformations(compile_or_fail(scenario.world));
        if (!complaints.empty())
            RC_FAIL(fmt::format("{}", complaints));
    });
}

} // namespace property
