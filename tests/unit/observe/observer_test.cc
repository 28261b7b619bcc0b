// SPDX-License-Identifier: Apache-2.0
#include "observe/observer.h"
#include "unit/observe/records.h"

#include <algorithm>
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
    Observer observer(4 * sizeof(AttributedEvent));
    for (uint64_t time = 1; time <= 5; time++)
        observer.consume(opened(time));
    EXPECT_EQ(times(observer.recent({}, {})), (Times{3, 4, 5}));
    const auto counts = observer.counts();
    EXPECT_EQ(counts.consumed, 5u);
    EXPECT_EQ(counts.by_type[EVENT_FLOW_OPEN], 5u);
    EXPECT_EQ(counts.kept, 3u);
    EXPECT_EQ(counts.evicted, 2u);
}

TEST(Observer, FlowsDoNotPushRefusalsOutOfThePast)
{
    Observer observer(4 * sizeof(AttributedEvent));
    observer.consume(refused(1));
    for (uint64_t time = 2; time <= 100; time++)
        observer.consume(opened(time));
    EXPECT_EQ(times(observer.recent({}, {})), (Times{1, 98, 99, 100}));
}

TEST(Observer, WithoutBytesThereIsNoPast)
{
    Observer observer(0);
    const auto reader = observer.subscribe({}, {});
    observer.consume(opened(1));
    observer.consume(refused(2));
    EXPECT_TRUE(observer.recent({}, {}).empty());
    EXPECT_EQ(times(reader->next(1s)->records), (Times{1, 2}));
    EXPECT_EQ(observer.counts().evicted, 2u);
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
    Observer observer(4 << 20, 4);
    const auto reader = observer.subscribe({}, {.last = 0});
    for (uint64_t time = 1; time <= 5; time++)
        observer.consume(opened(time));
    const auto batch = reader->next(1s);
    EXPECT_EQ(times(batch->records), (Times{3, 4, 5}));
    EXPECT_EQ(batch->lost, 2u);
    EXPECT_EQ(observer.counts().dropped, 2u);
    EXPECT_EQ(reader->next(0ms)->lost, 0u);
}

TEST(Observer, SlowReaderLosesFlowsBeforeRefusals)
{
    Observer observer(0, 4);
    const auto reader = observer.subscribe({}, {});
    observer.consume(refused(1));
    for (uint64_t time = 2; time <= 1000; time++)
        observer.consume(opened(time));
    EXPECT_EQ(times(reader->next(1s)->records), (Times{1, 998, 999, 1000}));
}

// offered = filtered + queued + sent + lost.
void expect_adds_up(const ReaderTally& tally)
{
    EXPECT_EQ(tally.offered, tally.filtered + tally.queued + tally.sent + tally.lost);
}

TEST(Observer, LedgerOfAReaderAddsUpAtEveryStep)
{
    Observer observer(0, 4);
    auto reader = observer.subscribe(RecordFilter::parse({{"type", "flow_open"}}).value(), {});
    const auto tally = [&] { return observer.counts().present.at(0).tally; };
    observer.consume(refused(1));
    for (uint64_t time = 2; time <= 6; time++)
        observer.consume(opened(time));
    EXPECT_EQ(tally().offered, 6u);
    EXPECT_EQ(tally().filtered, 1u);
    EXPECT_EQ(tally().lost, 2u);
    EXPECT_EQ(tally().queued, 3u);
    expect_adds_up(tally());
    EXPECT_EQ(reader->next(0ms)->records.size(), 3u);
    EXPECT_EQ(tally().queued, 3u) << "in the reader's hands, sent or not";
    (void)reader->next(0ms);
    EXPECT_EQ(tally().sent, 3u);
    expect_adds_up(tally());
    observer.consume(opened(7));
    reader.reset();
    const auto counts = observer.counts();
    EXPECT_EQ(counts.gone, 1u);
    EXPECT_EQ(counts.gone_tally.lost, 3u) << "what waited when it left";
    expect_adds_up(counts.gone_tally);
    EXPECT_EQ(counts.dropped, 3u);
}

TEST(Observer, ReadersAreKnownByTheirFilters)
{
    Observer observer;
    const auto all = observer.subscribe({}, {});
    const auto some = observer.subscribe(RecordFilter::parse({{"not_port", "53"}}).value(), {});
    some->cut_off();
    const auto present = observer.counts().present;
    ASSERT_EQ(present.size(), 2u);
    EXPECT_EQ(present[0].filter, "");
    EXPECT_EQ(present[1].filter, "not_port=53");
    EXPECT_LT(present[0].id, present[1].id);
    EXPECT_GT(present[0].since_ns, 0);
}

TEST(Observer, CountsReadersThatWereCutOff)
{
    Observer observer;
    observer.subscribe({}, {})->cut_off();
    observer.subscribe({}, {});
    EXPECT_EQ(observer.counts().gone, 2u);
    EXPECT_EQ(observer.counts().cut_off, 1u);
}

// Ten readers that take nothing while another takes all there is.
TEST(Observer, SlowReadersCostNeitherMemoryNorAnybodyElse)
{
    constexpr uint64_t records = 50'000;
    constexpr size_t queue = 4096;
    Observer observer(0, queue);
    std::vector<std::shared_ptr<LiveReader>> slow;
    for (int i = 0; i < 10; i++)
        slow.push_back(observer.subscribe({}, {}));
    const auto quick = observer.subscribe({}, {});
    uint64_t taken = 0;
    std::vector<event> batch;
    for (uint64_t time = 1; time <= records; time++) {
        batch.push_back(time % 100 == 0 ? refused(time) : opened(time));
        if (batch.size() < 250)
            continue;
        observer.consume(batch);
        batch.clear();
        taken += quick->next(0ms)->records.size();
    }
    EXPECT_EQ(taken, records);
    const auto counts = observer.counts();
    for (const auto& reader : counts.present) {
        EXPECT_EQ(reader.tally.offered, records);
        EXPECT_LE(reader.tally.queued, queue);
        expect_adds_up(reader.tally);
    }
    EXPECT_EQ(counts.present.back().tally.lost, 0u);
    for (const auto& reader : slow) { // 500 refusals, which fit
        size_t refusals = 0;
        for (auto some = reader->next(0ms); !some->records.empty(); some = reader->next(0ms))
            refusals += static_cast<size_t>(std::ranges::count_if(
                some->records, [](const auto& r) { return r.raw.type == EVENT_DROP; }));
        EXPECT_EQ(refusals, records / 100);
    }
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
