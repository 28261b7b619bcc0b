// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

ProgramStatistics kernel_says(uint64_t from_pod_runs, uint64_t from_pod_ns, bool counted = true)
{
    return {.counted = counted,
            .programs = {{.id = 7,
                          .name = "from_pod",
                          .attached = {{"clsact", 1}, {"tcx", 12}},
                          .runs = from_pod_runs,
                          .nanoseconds = from_pod_ns},
                         {.id = 8, .name = "trace_packet"}}};
}

TEST(Programs, ShowRunsSinceTheyWereLoaded)
{
    Tool tool;
    tool.programs = {kernel_says(10, 400), kernel_says(10, 400)};
    const Json answer = tool.json({"stats", "programs"});
    EXPECT_EQ(answer["counted"], true);
    EXPECT_EQ(answer["seconds"], nullptr);
    EXPECT_EQ(
        answer["programs"][0],
        (Json{{"program", "from_pod"},
              {"id", 7},
              {"attached", {{{"kind", "clsact"}, {"count", 1}}, {{"kind", "tcx"}, {"count", 12}}}},
              {"runs", 10},
              {"run_time_ns", 400},
              {"ns_a_run", 40.0},
              {"share", 1.0},
              {"of_a_core", nullptr}}));
    EXPECT_EQ(answer["programs"][1]["ns_a_run"], nullptr);
    EXPECT_EQ(tool.err, "");
    EXPECT_EQ(tool.run({"stats", "programs"}), Exit::ok);
    EXPECT_NE(tool.out.find("1 clsact, 12 tcx"), std::string::npos) << tool.out;
    EXPECT_EQ(tool.out.find("OF A CORE"), std::string::npos) << tool.out;
}

TEST(Programs, SayHowToHaveRunsCounted)
{
    Tool tool;
    tool.programs = {kernel_says(0, 0, false)};
    EXPECT_EQ(tool.run({"stats", "programs"}), Exit::ok);
    EXPECT_NE(tool.err.find("--for 10s"), std::string::npos) << tool.err;
    EXPECT_NE(tool.err.find("kernel.bpf_stats_enabled=1"), std::string::npos);
}

TEST(Programs, ShowTheRunsOfThatTime)
{
    Tool tool;
    tool.programs = {kernel_says(10, 400, false), kernel_says(14, 480, false)};
    tool.programs[1].programs.push_back({.id = 9, .name = "to_pod", .runs = 3, .nanoseconds = 80});
    const Json answer = tool.json({"stats", "programs", "--for", "10ms"});
    EXPECT_EQ(answer["counted"], true);
    EXPECT_GE(answer["seconds"], 0.010);
    const Json& row = answer["programs"][0];
    EXPECT_EQ(row["runs"], 4);
    EXPECT_EQ(row["ns_a_run"], 20.0);
    EXPECT_EQ(row["share"], 0.5);
    EXPECT_DOUBLE_EQ(row["of_a_core"], 80 / (answer["seconds"].get<double>() * 1e9));
    EXPECT_EQ(answer["programs"][2]["runs"], 3) << "loaded meanwhile";
    EXPECT_EQ(tool.err, "");
    tool.programs = {kernel_says(0, 0), kernel_says(4, 80)};
    EXPECT_EQ(tool.run({"stats", "programs", "--for", "1ms"}), Exit::ok);
    EXPECT_NE(tool.out.find("OF A CORE"), std::string::npos) << tool.out;
}

TEST(Programs, SayWhatDoesNotWork)
{
    Tool tool;
    for (const char* span : {"never", "0s"})
        EXPECT_EQ(tool.run({"stats", "programs", "--for", span}), Exit::usage) << span;
    tool.counting_error = EPERM;
    EXPECT_EQ(tool.run({"stats", "programs", "--for", "1ms"}), Exit::permission);
    tool.maps_error = ENOENT;
    EXPECT_EQ(tool.run({"stats", "programs"}), Exit::unreachable);
    EXPECT_NE(tool.err.find("is ebpfd running?"), std::string::npos) << tool.err;
}

} // namespace
} // namespace ebpfd::ctl
