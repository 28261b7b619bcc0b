// SPDX-License-Identifier: Apache-2.0
#include "observe/interest.h"
#include "observe/observer.h"
#include "unit/observe/records.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using namespace ebpfd::testing;
using Conditions = std::multimap<std::string, std::string>;

constexpr uint32_t bit(uint32_t number)
{
    return 1U << number;
}

TEST(Interest, FollowsWhatTheDatapathCanSay)
{
    EXPECT_EQ(interest_of({}), Interest{});
    EXPECT_EQ(interest_of({{"type", "drop"}, {"type", "flow_open"}}).types,
              bit(EVENT_DROP) | bit(EVENT_FLOW_OPEN));
    EXPECT_EQ(interest_of({{"not_verdict", "allow"}}).verdicts,
              0xffff & ~(bit(VERDICT_ALLOW) | bit(VERDICT_WOULD_DENY)));
    EXPECT_EQ(interest_of({{"to_port", "53"}}).port, 53);
    EXPECT_EQ(interest_of({{"from_pod", "shop/web"}}).pod, "shop/web");
}

TEST(Interest, NeverAsksForLessThanTheFilter)
{
    for (const Conditions& beyond : {Conditions{{"port", "53"}, {"port", "80"}},
                                     {{"not_port", "53"}},
                                     {{"pod", "shop/web"}, {"pod", "shop/db"}},
                                     {{"not_pod", "shop/web"}},
                                     {{"namespace", "shop"}},
                                     {{"ip", "10.0.0.0/8"}},
                                     {{"label", "app"}}})
        EXPECT_EQ(interest_of(beyond), Interest{}) << beyond.begin()->first;
}

TEST(Interest, OfSeveralReadersIsWhatAnyOfThemWants)
{
    Interest both = interest_of({{"port", "53"}, {"pod", "shop/web"}, {"type", "drop"}});
    both |= interest_of({{"port", "53"}, {"pod", "shop/db"}, {"type", "flow_open"}});
    EXPECT_EQ(both.port, 53);
    EXPECT_EQ(both.pod, "");
    EXPECT_EQ(both.types, bit(EVENT_DROP) | bit(EVENT_FLOW_OPEN));
    both |= Interest{};
    EXPECT_EQ(both, Interest{});
}

TEST(Interest, KnowsAPodByItsInterfaceAndAddresses)
{
    const watch local = watch_of(interest_of({{"pod", "shop/web"}}), true, *names());
    EXPECT_EQ(local.pod, 1);
    EXPECT_EQ(local.ifindex, 7u);
    EXPECT_TRUE(std::ranges::equal(local.address[0], IpAddress::parse("10.0.0.1")->bytes));
    const watch remote = watch_of(interest_of({{"pod", "shop/db"}}), true, *names());
    EXPECT_EQ(remote.pod, 1);
    EXPECT_EQ(remote.ifindex, 0u);
}

TEST(Interest, OfAPodThatIsNotKnownIsEverything)
{
    EXPECT_EQ(watch_of(interest_of({{"pod", "shop/new"}}), true, *names()).pod, 0);
}

TEST(Interest, WithoutReadersIsTheHistoryAlone)
{
    for (const bool history : {true, false}) {
        const watch nobody = watch_of(std::nullopt, history, *names());
        EXPECT_EQ(nobody.changes, history);
        EXPECT_EQ(nobody.signs, 0);
        EXPECT_EQ(nobody.types, 0u);
    }
}

TEST(Interest, SignsOfLifeAreForThoseWhoWantUpdates)
{
    EXPECT_EQ(watch_of(Interest{}, true, *names()).signs, 1);
    EXPECT_EQ(watch_of(interest_of({{"type", "drop"}}), true, *names()).signs, 0);
}

TEST(Interest, IsToldAsReadersComeAndGo)
{
    Observer observer(0);
    std::vector<watch> told;
    observer.on_watch([&](const watch& wanted) { told.push_back(wanted); });
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told.back().types, 0u);
    auto drops = observer.subscribe(RecordFilter::parse({{"type", "drop"}}).value(), {});
    EXPECT_EQ(told.back().types, bit(EVENT_DROP));
    auto all = observer.subscribe({}, {});
    EXPECT_EQ(told.back().types, ~0U);
    all.reset();
    EXPECT_EQ(told.back().types, bit(EVENT_DROP));
    drops.reset();
    EXPECT_EQ(told.back().types, 0u);
    EXPECT_EQ(told.size(), 5u);
}

TEST(Interest, FollowsAPodThatBecomesKnown)
{
    Observer observer;
    watch wanted{};
    observer.on_watch([&](const watch& now) { wanted = now; });
    const auto reader = observer.subscribe(RecordFilter::parse({{"pod", "shop/web"}}).value(), {});
    EXPECT_EQ(wanted.pod, 0);
    observer.set_names(names());
    EXPECT_EQ(wanted.ifindex, 7u);
}

} // namespace
} // namespace ebpfd
