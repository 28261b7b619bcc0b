// SPDX-License-Identifier: Apache-2.0
#include "observe_stream.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ebpfd {
namespace {

using Query = std::multimap<std::string, std::string>;

event record(uint64_t time_ns, event_type type = EVENT_FLOW_OPEN)
{
    event out{};
    out.time_ns = time_ns;
    out.type = static_cast<__u8>(type);
    return out;
}

// The types of all lines that are there now, or the status of a refusal.
std::vector<std::string> types(StreamReply reply)
{
    if (const auto* refusal = std::get_if<HttpReply>(&reply))
        return {std::to_string(refusal->status)};
    std::vector<std::string> out;
    for (auto& next = std::get<LineSource>(reply);;) {
        const auto lines = next();
        if (!lines || lines->empty())
            return out;
        std::istringstream in(*lines);
        for (std::string line; std::getline(in, line);)
            out.push_back(nlohmann::json::parse(line)["type"]);
    }
}

using Types = std::vector<std::string>;

TEST(ObserveStream, WithoutFollowGivesThePastAndEnds)
{
    Observer observer;
    observer.consume(record(1));
    observer.consume(record(2, EVENT_DROP));
    EXPECT_EQ(types(observe_stream(observer, {.captures = {}, .query = {}})),
              (Types{"flow_open", "drop"}));
    EXPECT_EQ(types(observe_stream(observer, {.captures = {}, .query = {{"last", "1"}}})),
              (Types{"drop"}));
    EXPECT_EQ(types(observe_stream(observer, {.captures = {}, .query = {{"since", "0.5"}}})),
              (Types{}))
        << "both are as old as the machine's start";
    EXPECT_EQ(types(observe_stream(observer, {.captures = {}, .query = {{"until", "0.5"}}})),
              (Types{"flow_open", "drop"}));
    const Query long_ago{{"until", "1999-01-01T00:00:00Z"}};
    EXPECT_EQ(types(observe_stream(observer, {.captures = {}, .query = long_ago})), (Types{}));
}

TEST(ObserveStream, FollowStartsWithThePresent)
{
    Observer observer;
    observer.consume(record(1));
    auto live = observe_stream(observer, {.captures = {}, .query = {{"follow", "1"}}});
    auto both =
        observe_stream(observer, {.captures = {}, .query = {{"follow", "1"}, {"last", "5"}}});
    observer.consume(record(2, EVENT_DROP));
    EXPECT_EQ(types(std::move(live)), (Types{"drop"}));
    EXPECT_EQ(types(std::move(both)), (Types{"flow_open", "drop"}));
}

TEST(ObserveStream, FiltersApply)
{
    Observer observer;
    observer.consume(record(1));
    observer.consume(record(2, EVENT_DROP));
    EXPECT_EQ(types(observe_stream(observer, {.captures = {}, .query = {{"type", "drop"}}})),
              (Types{"drop"}));
}

TEST(ObserveStream, SlowReaderIsToldHowManyItLost)
{
    Observer observer(4 << 20, 2);
    auto live = observe_stream(observer, {.captures = {}, .query = {{"follow", "1"}}});
    for (uint64_t time = 1; time <= 5; time++)
        observer.consume(record(time));
    EXPECT_EQ(types(std::move(live)), (Types{"lost", "flow_open"}));
}

TEST(ObserveStream, NonsenseIsRefused)
{
    Observer observer;
    for (const auto& [name, value] : Query{{"follow", "yes"},
                                           {"last", "-1"},
                                           {"last", "many"},
                                           {"since", "-1"},
                                           {"since", "nan"},
                                           {"since", "1e300"},
                                           {"since", "yesterday"},
                                           {"until", "-1"},
                                           {"colour", "red"}})
        EXPECT_EQ(types(observe_stream(observer, {.captures = {}, .query = {{name, value}}})),
                  (Types{"400"}))
            << name << "=" << value;
    const Query endless{{"follow", "1"}, {"until", "5"}};
    EXPECT_EQ(types(observe_stream(observer, {.captures = {}, .query = endless})), (Types{"400"}));
}

} // namespace
} // namespace ebpfd
