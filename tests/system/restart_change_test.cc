// SPDX-License-Identifier: Apache-2.0
#include "lab/environment.h"
#include "system/under_load.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <gmock/gmock.h>
#include <iostream>
#include <thread>

namespace system_test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr uint16_t moving_port = 7100;  // allowed by one file, then by another
constexpr uint16_t guarded_port = 7101; // allowed by what comes, refused by what comes with it

PolicyFile db_allows(const std::string& name, const std::string& app, uint16_t port)
{
    return policy("shop/" + name,
                  fmt::format("{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: "
                              "[{{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: "
                              "{}}}}}}}], ports: [{{port: {}}}, {{protocol: UDP, port: {}}}]}}]}}",
                              app, port, port));
}

PolicyFile web_may(const std::string& name, uint16_t port)
{
    return policy("shop/" + name,
                  fmt::format("{{podSelector: {{matchLabels: {{app: web}}}}, policyTypes: [Egress],"
                              " egress: [{{ports: [{{port: {}}}, {{protocol: UDP, port: {}}}]}}]}}",
                              port, port));
}

// While the agent is away, several files change. All of it is one change for every packet: what one
// file allows before and another one afterwards never fails, and what comes with its own refusal
// never passes.
class ChangeUnderLoad : public UnderLoad {
protected:
    void write(const PolicyFile& file) { replace_file(agent().policies() / file.name, file.text); }
    void remove(const PolicyFile& file) { std::filesystem::remove(agent().policies() / file.name); }
    // Side 0 has the port allowed by the file "even", side 1 by the file "odd" together with a
    // guarded one; from side to side, files come, go and change.
    void write_side(unsigned side)
    {
        const PolicyFile even = db_allows("even", "web", moving_port);
        const PolicyFile odd = db_allows("odd", "web", moving_port);
        const PolicyFile opened = db_allows("opened", "scan", guarded_port);
        const PolicyFile closed = guard("closed", guarded_port);
        write(side == 0 ? even : odd);
        remove(side == 0 ? odd : even);
        side == 0 ? remove(opened) : write(opened);
        side == 0 ? remove(closed) : write(closed);
        write(db_allows("changed", side == 0 ? "api" : "scan", side == 0 ? 1 : 2));
    }
    void prepare_load()
    {
        write(web_may("moving", moving_port));
        write_side(0);
        for (const Transport transport : {Transport::tcp, Transport::udp}) {
            load().make_new(route("web", "db", transport, moving_port), 5ms);
            load().try_refused(route("scan", "db", transport, guarded_port), 5ms);
        }
    }
    bool settles()
    {
        return lab::eventually([this] { return agent().ctl({"status"}).exit != exit_unreachable; },
                               20s) &&
               agent().settle().exit != exit_unreachable;
    }
};
INSTANTIATE_TEST_SUITE_P(Agent, ChangeUnderLoad, testing::ValuesIn(every_way_once()), load_name);

TEST_P(ChangeUnderLoad, WhatChangedMeanwhileIsOneChange)
{
    const size_t restarts = lab::count_of("EBPFD_RESTARTS", 2);
    prepare_load();
    ASSERT_TRUE(begin()) << agent().process().err();
    const PolicyFile db = policies().front();
    for (unsigned side = 1; side <= restarts && !HasFailure(); ++side) {
        kill_agent();
        const uint32_t before = generation();
        write_side(side % 2);
        // What it last said goes on: the open connections rest on it.
        replace_file(agent().policies() / db.name, side % 2 == 0 ? db.text : "spec: [");
        launch();
        ASSERT_TRUE(settles()) << agent().process().err();
        EXPECT_EQ(generation(), before + 1);
        EXPECT_TRUE(is_well()) << "side " << side;
    }
    const auto counts = load().finish();
    EXPECT_TRUE(is_well());
    std::cout << fmt::format("{} changes; {}\n", restarts, fmt::streamed(counts));
}

// What a file says is what it last validly said, however soon afterwards the agent was killed.
TEST_P(ChangeUnderLoad, AFileThatBreaksAfterAKillSaysWhatWasInForce)
{
    const size_t restarts = lab::count_of("EBPFD_RESTARTS", 1);
    ASSERT_TRUE(begin()) << agent().process().err();
    for (unsigned i = 0; i < restarts && !HasFailure(); ++i) {
        const PolicyFile late = guard("late", static_cast<uint16_t>(20000 + i));
        const uint32_t before = generation();
        write(late);
        while (generation() == before && agent().running())
            continue; // each moment counts: killed as soon as it is in force
        kill_agent();
        replace_file(agent().policies() / late.name, "spec: [");
        launch();
        ASSERT_TRUE(settles()) << agent().process().err();
        const auto rules = statistics().rules;
        EXPECT_TRUE(std::ranges::any_of(rules, [](const auto& entry) {
            return entry.first.starts_with("late ");
        })) << agent().process().err();
        remove(late);
        EXPECT_EQ(agent().settle().exit, exit_ok);
    }
    EXPECT_TRUE(is_well());
}

// Links take over from filters half a second after a start, and filters from links at one.
TEST_P(ChangeUnderLoad, AHandOverMayEndAtAnyMoment)
{
    if (way() != "tcx")
        return; // there is nothing to hand over to
    const size_t restarts = lab::count_of("EBPFD_RESTARTS", 2);
    ASSERT_TRUE(begin()) << agent().process().err();
    for (size_t i = 0; i < restarts && !HasFailure(); ++i) {
        kill_agent();
        ASSERT_TRUE(start("clsact"));
        ASSERT_TRUE(is_attached("clsact"));
        kill_agent();
        ASSERT_TRUE(start("tcx"));
        std::this_thread::sleep_for(400ms + any_time(700)); // any moment of it
        kill_agent();
        EXPECT_TRUE(is_well()) << "hand-over " << i;
        ASSERT_TRUE(start("tcx"));
        ASSERT_TRUE(is_attached("tcx"));
    }
    const auto counts = load().finish();
    EXPECT_TRUE(is_well());
    EXPECT_EQ(counts.retransmitted, 0u);
    std::cout << fmt::format("{} hand-overs; {}\n", restarts, fmt::streamed(counts));
}

// Of two that start at once, one runs and the other says why not.
TEST_P(ChangeUnderLoad, OfTwoAgentsAtOnceOneRefuses)
{
    ASSERT_TRUE(begin()) << agent().process().err();
    kill_agent();
    const std::string netns = world_->node().host().netns.path();
    auto first = lab::Process::start(agent().command(), netns);
    auto second = lab::Process::start(agent().command(), netns);
    ASSERT_TRUE(lab::eventually([&] { return !first.running() || !second.running(); }));
    auto& refused = first.running() ? second : first;
    EXPECT_EQ(refused.wait(), exit_failed);
    EXPECT_THAT(refused.err(), HasSubstr("another ebpfd"));
    auto& other = first.running() ? first : second;
    ASSERT_TRUE(settles());
    EXPECT_TRUE(other.running());
    EXPECT_EQ(other.stop(), exit_ok);
    EXPECT_TRUE(is_well());
}

} // namespace
} // namespace system_test
