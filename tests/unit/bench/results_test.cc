// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/results.h"
#include "bench/frame/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

using namespace bench;
using testing::HasSubstr;

namespace {

const Measurement speed{.group = "pods",
                        .name = "speed",
                        .unit = "packets/s",
                        .base = "none",
                        .size_name = "rules",
                        .more_is_better = true};
const Measurement growth{.group = "packet", .name = "cost", .unit = "ns", .size_name = "rules"};

Results some()
{
    Results results;
    results.machine = {"a \"fast\" one", 2, 1024, "6.1", 0.5, 1.5, "2026-01-02T03:04:05Z"};
    results.quick = true;
    results.add(speed, {"none", 10, Samples({10, 20})});
    results.add(speed, {"some", 10, Samples({5, 10})});
    results.add(speed, {"none", 1000, Samples({40, 40})});
    results.add(growth, {"hot", 100, Samples({30.25})});
    results.add(growth, {"hot", 1, Samples({20})});
    results.add({.group = "idle", .name = "CPU", .unit = "%"}, {"agent", {}, Samples({0.25})});
    return results;
}

TEST(Results, AreReadAsTheyWereWritten)
{
    const Results before = some();
    const auto after = Results::parse(before.json());
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(after->all(), before.all());
    EXPECT_EQ(after->machine, before.machine);
    EXPECT_TRUE(after->quick);
}

TEST(Results, OfOthersAreRefused)
{
    EXPECT_FALSE(Results::parse(""));
    EXPECT_FALSE(Results::parse("{}"));
    std::string newer = some().json();
    newer.replace(newer.find("\"format\": 1"), 11, "\"format\": 2");
    const auto read = Results::parse(newer);
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message, HasSubstr("another version"));
}

TEST(Results, RatioIsToTheBaseOfTheSameSize)
{
    const Results results = some();
    const Measured* measured = results.find("pods", "speed");
    ASSERT_NE(measured, nullptr);
    EXPECT_DOUBLE_EQ(measured->ratio_of(*measured->find("some", 10)).value(), 0.5);
    EXPECT_FALSE(measured->ratio_of(*measured->find("none", 10)));
    EXPECT_EQ(measured->find("some", 1000), nullptr);
}

TEST(Results, RatioWithoutABaseIsToTheSmallestSize)
{
    const Results results = some();
    const Measured* measured = results.find("packet", "cost");
    ASSERT_NE(measured, nullptr);
    EXPECT_DOUBLE_EQ(measured->ratio_of(*measured->find("hot", 100)).value(), 30.25 / 20);
    EXPECT_FALSE(measured->ratio_of(*measured->find("hot", 1)));
    EXPECT_FALSE(results.find("idle", "CPU")->ratio_of(results.find("idle", "CPU")->figures[0]));
}

TEST(Results, NothingIsComparedWithZero)
{
    Results results;
    results.add(speed, {"none", 10, Samples({0, 0})});
    results.add(speed, {"some", 10, Samples({5, 10})});
    const Measured& measured = results.all().front();
    EXPECT_FALSE(measured.ratio_of(measured.figures[1]));
}

TEST(Run, VariantsTakeTurnsAndTheFirstRoundDoesNotCount)
{
    bench::Run run(true);
    std::string order;
    double a = 0, b = 100;
    testing::internal::CaptureStderr();
    run.measure({speed, growth}, {{"a",
                                   {},
                                   [&] {
                                       order += 'a';
                                       return std::vector{++a, 1.0};
                                   }},
                                  {"b", {}, [&] {
                                       order += 'b';
                                       return std::vector{++b, 2.0};
                                   }}});
    const int rounds = run.rounds();
    const Results results = run.finish();
    testing::internal::GetCapturedStderr();
    ASSERT_EQ(order.size(), 2u * (static_cast<size_t>(rounds) + 1));
    EXPECT_EQ(order.substr(0, 6), "ababab");
    const auto& values = results.find("pods", "speed")->find("b", {})->samples.values();
    EXPECT_EQ(values.size(), static_cast<size_t>(rounds));
    EXPECT_EQ(values.front(), 102);
    EXPECT_EQ(results.find("packet", "cost")->find("a", {})->samples.median(), 1);
}

TEST(Run, AVariantThatMeasuresSomethingElseIsAMistake)
{
    bench::Run run(true);
    testing::internal::CaptureStderr();
    EXPECT_THROW(run.measure({speed}, {{"a", {}, [] { return std::vector<double>{}; }}}),
                 std::logic_error);
    testing::internal::GetCapturedStderr();
}

} // namespace
