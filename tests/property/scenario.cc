// SPDX-License-Identifier: Apache-2.0
#include "property/scenario.h"

using property::Dice;
using property::Scenario;

static constexpr size_t packets_per_world = 12;

rc::Gen<Scenario> rc::Arbitrary<Scenario>::arbitrary()
{
    return [](const rc::Random& random, int) {
        Dice dice(random);
        Scenario scenario{.world = property::random_world(dice), .packets = {}};
        scenario.packets = property::random_packets(dice, scenario.world, packets_per_world);
        return rc::shrinkable::shrinkRecur(std::move(scenario), [](const Scenario& larger) {
            return rc::seq::fromContainer(property::smaller(larger));
        });
    };
}
