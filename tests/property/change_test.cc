// SPDX-License-Identifier: Apache-2.0
#include "policy/compile.h"
#include "property/check.h"
#include "property/plan_form.h"
#include "property/plan_text.h"
#include "property/scenario.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <memory>

using namespace ebpfd;

namespace property {

static constexpr int histories = 1500;
static constexpr int changes_each = 12;

struct History {
    std::vector<World> worlds;
};

static void showValue(const History& history, std::ostream& out)
{
    for (const World& world : history.worlds)
        out << describe(world) << "\n---- then ----\n";
}

// Shorter ones: the same without a World, as each is a World of its own.
static std::vector<History> shorter(const History& history)
{
    std::vector<History> result;
    for (size_t without = 0; without < history.worlds.size(); ++without) {
        History less = history;
        less.worlds.erase(less.worlds.begin() + static_cast<std::ptrdiff_t>(without));
        result.push_back(std::move(less));
    }
    return result;
}

} // namespace property

template <> struct rc::Arbitrary<property::History> {
    static rc::Gen<property::History> arbitrary()
    {
        return [](const rc::Random& random, int) {
            property::Dice dice(random);
            World world = property::random_world(dice);
            if (dice.chance(50)) // they have all subjects searched anew
                world.cluster_policies = {};
            property::sort_objects(world);
            property::History history{.worlds = {world}};
            for (int change = 0; change < property::changes_each; ++change) {
                property::change_world(dice, world);
                history.worlds.push_back(world);
            }
            return rc::shrinkable::shrinkRecur(std::move(history), [](const auto& larger) {
                return rc::seq::fromContainer(property::shorter(larger));
            });
        };
    }
};

namespace property {

static std::vector<std::string> only_in(const std::vector<std::string>& one,
                                        const std::vector<std::string>& other)
{
    std::vector<std::string> result;
    std::ranges::set_difference(one, other, std::back_inserter(result));
    return result;
}

static void expect_same(const Plan& changed, const Plan& scratch)
{
    const auto complaints = malformations(changed);
    if (!complaints.empty())
        RC_FAIL(fmt::format("{}", complaints));
    const auto one = text_of(changed), other = text_of(scratch);
    if (one != other)
        RC_FAIL(fmt::format("by changes: {}\n  from scratch: {}",
                            fmt::join(only_in(one, other), "\n    "),
                            fmt::join(only_in(other, one), "\n    ")));
}

TEST(Changes, CompiledOneByOneGiveThePlanOfTheLastWorld)
{
    check(histories, [](const History& history) {
        Compiler compiler;
        for (const World& world : history.worlds) {
            const auto changed = compiler.compile(world);
            const auto scratch = compile(world);
            RC_ASSERT(changed.has_value() == scratch.has_value());
            if (changed)
                expect_same(*changed, *scratch);
        }
    });
}

// Where the objects of earlier Worlds are gone, others may lie where they lay. Policies go as soon
// as nothing rests on them.
TEST(Changes, NothingIsTakenForAnObjectThatIsGone)
{
    check(histories, [](uint64_t seed) {
        Dice dice{rc::Random(seed)};
        World world = random_world(dice);
        world.cluster_policies = {};
        sort_objects(world);
        std::vector<std::weak_ptr<const NetworkPolicy>> seen;
        Compiler compiler;
        for (int change = 0; change < changes_each; ++change) {
            const auto changed = compiler.compile(world);
            const auto scratch = compile(world);
            RC_ASSERT(changed.has_value() == scratch.has_value());
            if (changed)
                expect_same(*changed, *scratch);
            seen.insert(seen.end(), world.policies.begin(), world.policies.end());
            change_world(dice, world);
        }
        world.policies = {};
        RC_ASSERT(compiler.compile(world).has_value());
        RC_ASSERT(std::ranges::all_of(seen, [](const auto& policy) { return policy.expired(); }));
    });
}

} // namespace property
