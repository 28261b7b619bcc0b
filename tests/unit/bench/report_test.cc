// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/chart.h"
#include "bench/frame/goals.h"
#include "bench/frame/report.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace bench;
using testing::HasSubstr;
using testing::Not;

namespace {

size_t count(const std::string& text, const std::string& part)
{
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

// The number that an attribute of the first element beginning with this has.
double attribute(const std::string& svg, const std::string& element, const std::string& name)
{
    const size_t from = svg.find(element);
    const size_t at = from == std::string::npos ? from : svg.find(name + "=\"", from);
    return at == std::string::npos ? -1 : std::stod(svg.substr(at + name.size() + 2));
}

TEST(Chart, NumbersKeepThreeDigitsThatCount)
{
    EXPECT_EQ(short_number(0), "0");
    EXPECT_EQ(short_number(10), "10");
    EXPECT_EQ(short_number(0.12345), "0.123");
    EXPECT_EQ(short_number(1.2345), "1.23");
    EXPECT_EQ(short_number(12.345), "12.3");
    EXPECT_EQ(short_number(123.45), "123");
    EXPECT_EQ(short_number(1234567), "1,230,000");
    EXPECT_EQ(short_number(-12345), "-12,300");
    EXPECT_EQ(short_number(100000), "100,000");
}

TEST(Chart, BarsAreAsLongAsTheirValues)
{
    const auto svg =
        bar_chart({.title = "a", .unit = "ns"}, {{"one", {10, 20, 30}}, {"two", {40, 40, 40}}});
    const auto first = svg.find("fill=\"#0072b2\""), second = svg.find("fill=\"#e69f00\"");
    ASSERT_NE(first, std::string::npos);
    ASSERT_NE(second, std::string::npos);
    const auto box_of = [&](size_t end) { return svg.substr(svg.rfind("<rect", end)); };
    const double one = attribute(box_of(first), "<rect", "width");
    const double two = attribute(box_of(second), "<rect", "width");
    EXPECT_GT(one, 0);
    EXPECT_NEAR(two, 2 * one, 0.2);
}

TEST(Chart, AnythingMayStandInAName)
{
    const auto svg = bar_chart({.title = "<a> & \"b\"", .unit = "ns"}, {{"</svg>", {1, 1, 1}}});
    EXPECT_THAT(svg, HasSubstr("&lt;a&gt; &amp; &quot;b&quot;"));
    EXPECT_EQ(count(svg, "</svg>"), 1u);
    EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

TEST(Chart, LinesRiseWithTheirValues)
{
    const auto svg = line_chart({.title = "a", .unit = "ns", .size_name = "rules"},
                                {{"up", {{0, {1, 1, 1}}, {10, {2, 2, 2}}, {100, {9, 9, 9}}}}});
    EXPECT_EQ(count(svg, "<circle"), 3u);
    const std::string last = svg.substr(svg.rfind("<circle"));
    EXPECT_GT(attribute(svg, "<circle", "cy"), attribute(last, "<circle", "cy"));
    EXPECT_LT(attribute(svg, "<circle", "cx"), attribute(last, "<circle", "cx"));
    EXPECT_THAT(svg, HasSubstr(">rules</text>"));
}

TEST(Chart, FarApartValuesGetALogarithmicScale)
{
    const auto svg =
        line_chart({.title = "a", .unit = "ns", .size_name = "rules"},
                   {{"up", {{1, {1, 1, 1}}, {2, {10, 10, 10}}, {3, {100, 100, 100}}}}});
    const size_t second = svg.find("<circle", svg.find("<circle") + 1);
    const double low = attribute(svg, "<circle", "cy");
    const double middle = attribute(svg.substr(second), "<circle", "cy");
    const double high = attribute(svg.substr(svg.rfind("<circle")), "<circle", "cy");
    EXPECT_NEAR(low - middle, middle - high, 0.2);
}

TEST(Chart, OfNothingOrOfZeroesIsStillOne)
{
    EXPECT_TRUE(bar_chart({.title = "a", .unit = "ns"}, {}).ends_with("</svg>\n"));
    const auto svg = line_chart({.title = "a", .unit = "ns"}, {{"x", {{5, {0, 0, 0}}}}});
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

const Measurement cost{.group = "pods", .name = "cost", .unit = "ns", .base = "none"};

TEST(Goals, AreReachedAtTheirLimitAndMissedBeyond)
{
    const auto figure = [](const Results& results) -> std::optional<double> {
        const Measured* measured = results.find("pods", "cost");
        return measured ? std::optional(measured->figures[0].samples.median()) : std::nullopt;
    };
    const auto nothing = [](const Results&) { return std::optional<double>{}; };
    const std::vector<Goal> goals{{"pods", "at most", "ns", 15, false, figure},
                                  {"pods", "less", "ns", 14, false, figure},
                                  {"pods", "at least", "ns", 15, true, figure},
                                  {"pods", "lost", "ns", 15, true, nothing},
                                  {"other", "not run", "ns", 15, true, nothing}};
    Results results;
    results.add(cost, {"none", {}, Samples({15})});
    const auto judged = judge(results, goals);
    ASSERT_EQ(judged.size(), 5u);
    EXPECT_TRUE(judged[0].reached());
    EXPECT_FALSE(judged[1].reached());
    EXPECT_TRUE(judged[2].reached());
    EXPECT_TRUE(judged[3].measured && !judged[3].figure && !judged[3].reached());
    EXPECT_FALSE(judged[4].measured);
}

TEST(Report, SaysWhereItGoesOfWhatIsNotReachedAlone)
{
    const auto at = [](double ms) {
        Results results;
        results.add({.group = "footprint", .name = "start to enforcing", .unit = "ms"},
                    {"nothing was loaded", 10'000, Samples({ms})});
        return make_report(results).text;
    };
    EXPECT_THAT(at(100), Not(HasSubstr("Where it goes")));
    EXPECT_THAT(at(101), HasSubstr("Where it goes, of what is not reached:\n\n"
                                   "- **start to enforcing**: "));
    EXPECT_EQ(count(at(101), "\n- **"), 1u);
}

TEST(Report, HasTheFiguresTheirRatiosAndTheChart)
{
    Results before, now;
    before.add(cost, {"some", {}, Samples({60})});
    now.add(cost, {"none", {}, Samples({10, 20, 12})});
    now.add(cost, {"some", {}, Samples({30, 50, 36})});
    const Report report = make_report(now, &before);
    EXPECT_THAT(report.text, HasSubstr("| some | 30 | 36 | 50 | 3.00 | 0.60 |"));
    EXPECT_THAT(report.text, HasSubstr("](pods-cost.svg)"));
    ASSERT_TRUE(report.charts.contains("pods-cost.svg"));
    EXPECT_THAT(make_report(now).text, Not(HasSubstr("baseline")));
}

TEST(Report, SetsRatiosToTheSameBaseSideBySide)
{
    Results results;
    for (const char* name : {"send", "receive"})
        for (const double size : {10, 1000})
            for (const char* variant : {"none", "one", "two"})
                results.add({.group = "pods",
                             .name = name,
                             .unit = "ns",
                             .base = "none",
                             .size_name = "rules"},
                            {variant, size, Samples({*variant == 't' ? size : 2})});
    const auto text = make_report(results).text;
    EXPECT_THAT(text, HasSubstr("| 1,000 rules, ratio to none | one | two |\n|---|--:|--:|\n"
                                "| send | 1.00 | 500.00 |\n| receive | 1.00 | 500.00 |\n"));
    EXPECT_THAT(text, HasSubstr("| 10 rules, ratio to none | one | two |"));
}

TEST(Report, PredictsWhatWasMeasuredAtThreeSizes)
{
    const Measurement growing{.group = "policy", .name = "cost", .unit = "ms", .size_name = "pods"};
    Results results;
    for (const double size : {100.0, 1'000.0, 10'000.0})
        results.add(growing, {"linear", size, Samples({1 + size / 1'000})});
    results.add(growing, {"once", 100, Samples({7})});
    const std::string text = make_report(results).text;
    EXPECT_THAT(text, HasSubstr("| policy: cost, linear | pods | 1 + 0.001 n | 0 % | 11 | 101 ms "
                                "| 100,000 |"));
    EXPECT_THAT(text, Not(HasSubstr("cost, once | pods")));
}

TEST(Report, HasNoCurvesWhereNothingGrew)
{
    Results results;
    results.add({.group = "events", .name = "lost", .unit = "%"}, {"all", {}, Samples({1})});
    EXPECT_THAT(make_report(results).text, Not(HasSubstr("## Growth")));
}

TEST(Report, IsWrittenAndItsResultsAreReadAgain)
{
    const auto folder =
        std::filesystem::temp_directory_path() / ("bench-report-" + std::to_string(getpid()));
    Results results;
    results.add(cost, {"none", {}, Samples({1})});
    results.add(cost, {"some", {}, Samples({2})});
    ASSERT_TRUE(write_report(folder, results));
    EXPECT_TRUE(std::filesystem::exists(folder / "report.md"));
    EXPECT_TRUE(std::filesystem::exists(folder / "pods-cost.svg"));
    const auto read = read_results(folder / "results.json");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->all(), results.all());
    EXPECT_FALSE(read_results(folder / "none.json"));
    std::filesystem::remove_all(folder);
}

} // namespace
