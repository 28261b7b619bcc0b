// SPDX-License-Identifier: Apache-2.0
#include "observe/observer.h"
#include "unit/observe/records.h"

#include <ctime>
#include <gtest/gtest.h>
#include <thread>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;
using namespace ebpfd::testing;

uint64_t monotonic_ns()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

std::vector<uint64_t> times(const std::vector<AttributedEvent>& records)
{
    std::vector<uint64_t> out;
    for (const auto& record : records)
        out.push_back(record.raw.time_ns);
    return out;
}

using Times = std::vector<uint64_t>;

TEST(Observer, KeepsTheNewestWithinItsBytes)
{
    Observer observer(3 * sizeof(AttributedEvent));
    for (uint64_t time = 1; time <= 5; time++)
        observer.consume(opened(time));
    EXPECT_EQ(times(observer.recent({}, {})), (Times{3, 4, 5}));
    EXPECT_EQ(observer.counts().consumed, 5u);
}

TEST(Observer, RecordsOfOneTickStayInTheirOrder)
{
    Observer observer;
    event update = opened(7);
    update.type = EVENT_FLOW_UPDATE;
    observer.consume(opened(7));
    observer.consume(update);
    const auto records = observer.recent({}, {});
    EXPECT_EQ(records[0].raw.type, EVENT_FLOW_OPEN);
    EXPECT_EQ(records[1].raw.type, EVENT_FLOW_UPDATE);
}

TEST(Observer, LastCountsWhatMatches)
{
    Observer observer;
    for (uint64_t time = 1; time <= 6; time++)
        observer.consume(time % 2 ? opened(time) : refused(time));
    const auto drops = RecordFilter::parse({{"type", "drop"}}).value();
    EXPECT_EQ(times(observer.recent(drops, {.last = 2})), (Times{4, 6}));
}

TEST(Observer, SinceAndUntilBoundThePast)
{
    Observer observer;
    const uint64_t now = monotonic_ns();
    constexpr uint64_t minute = 60'000'000'000;
    for (const uint64_t age : {3 * minute, 2 * minute, minute})
        observer.consume(opened(now - age));
    const auto all = observer.recent({}, {});
    ASSERT_EQ(all.size(), 3u);
    const int64_t middle = all[1].time_ns;
    EXPECT_EQ(times(observer.recent({}, {.since_ns = middle})),
              (Times{now - 2 * minute, now - minute}));
    EXPECT_EQ(times(observer.recent({}, {.until_ns = middle})),
              (Times{now - 3 * minute, now - 2 * minute}));
    EXPECT_EQ(times(observer.recent({}, {.last = 1, .until_ns = middle})),
              (Times{now - 2 * minute}));
}

TEST(Observer, NamesAreThoseOfTheMoment)
{
    Observer observer;
    observer.set_names(names());
    observer.consume(opened(1));
    observer.set_names(std::make_shared<Names>());
    observer.consume(opened(2));
    const auto records = observer.recent({}, {});
    ASSERT_TRUE(records[0].pod);
    EXPECT_EQ(records[0].pod->pod, "web");
    EXPECT_EQ(records[0].peer->pod, "db");
    EXPECT_EQ(records[0].rule->policy, "allow");
    EXPECT_FALSE(records[1].pod);
}

TEST(Observer, HeldRecordsGetTheNamesThatAreSetMeanwhile)
{
    Observer observer;
    auto hold = observer.hold_records();
    std::thread feeding([&] { observer.consume(opened(1)); });
    observer.set_names(names());
    hold.unlock();
    feeding.join();
    EXPECT_TRUE(observer.recent({}, {})[0].pod);
}

TEST(Observer, LiveReaderGetsThePastAndThenTheRest)
{
    Observer observer;
    observer.consume(opened(1));
    observer.consume(opened(2));
    const auto reader = observer.subscribe({}, {.last = 1});
    observer.consume(opened(3));
    EXPECT_EQ(times(reader->next(1s)->records), (Times{2, 3}));
    EXPECT_TRUE(reader->next(0ms)->records.empty());
}

TEST(Observer, SlowReaderLosesTheOldestAndIsTold)
{
    Observer observer(4 << 20, 2);
    const auto reader = observer.subscribe({}, {.last = 0});
    for (uint64_t time = 1; time <= 5; time++)
        observer.consume(opened(time));
    const auto batch = reader->next(1s);
    EXPECT_EQ(times(batch->records), (Times{4, 5}));
    EXPECT_EQ(batch->lost, 3u);
    EXPECT_EQ(observer.counts().dropped, 3u);
    EXPECT_EQ(reader->next(0ms)->lost, 0u);
}

TEST(Observer, FilterSparesTheQueue)
{
    Observer observer(4 << 20, 2);
    const auto reader =
        observer.subscribe(RecordFilter::parse({{"type", "drop"}}).value(), {.last = 0});
    observer.consume(refused(1));
    for (uint64_t time = 2; time <= 5; time++)
        observer.consume(opened(time));
    const auto batch = reader->next(1s);
    EXPECT_EQ(times(batch->records), (Times{1}));
    EXPECT_EQ(batch->lost, 0u);
}

TEST(Observer, ReaderThatLeftIsForgotten)
{
    Observer observer;
    auto reader = observer.subscribe({}, {});
    EXPECT_EQ(observer.counts().readers, 1u);
    reader.reset();
    observer.consume(opened());
    EXPECT_EQ(observer.counts().readers, 0u);
}

TEST(Observer, CloseWakesAReader)
{
    Observer observer;
    const auto reader = observer.subscribe({}, {});
    std::thread waiting([&] { EXPECT_FALSE(reader->next(60s)); });
    observer.close();
    waiting.join();
    EXPECT_FALSE(observer.subscribe({}, {})->next(60s));
}

TEST(Observer, ManyThreadsMayUseIt)
{
    Observer observer(1 << 16, 64);
    const auto reader = observer.subscribe({}, {});
    std::thread feeding([&] {
        for (uint64_t time = 1; time <= 5000; time++)
            observer.consume(opened(time));
        observer.close();
    });
    std::thread naming([&] {
        for (int i = 0; i < 200; i++)
            observer.set_names(names());
    });
    uint64_t seen = 0;
    while (const auto batch = reader->next(1s))
        seen += batch->records.size() + batch->lost;
    feeding.join();
    naming.join();
    EXPECT_EQ(seen, 5000u);
}

} // namespace
} // namespace ebpfd
