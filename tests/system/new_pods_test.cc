// SPDX-License-Identifier: Apache-2.0
#include "lab/environment.h"
#include "lab/kernel.h"
#include "lab/stamps.h"
#include "system/prometheus.h"
#include "system/world.h"

#include <algorithm>
#include <fmt/format.h>
#include <iostream>

namespace system_test {
namespace {

constexpr uint16_t metrics_port = 9466;
constexpr uint16_t port = 9000; // nobody listens there: packets arrive or do not

// What became of the packets of pods that send from the first moment.
struct Passed {
    uint64_t sent = 0;
    uint64_t packets = 0;          // that arrived
    size_t interfaces = 0;         // whose packets did
    std::vector<double> windows{}; // ms from the first that was sent to the last that arrived
};

// Pods of which the agent learns while they already send.
class NewPods : public testing::TestWithParam<std::string> {
protected:
    static constexpr uint8_t number = 50;
    static constexpr uint64_t after_it = 200; // packets that do not arrive, and it is closed

    void SetUp() override
    {
        world_ = World::make(Wiring::routed);
        ASSERT_NE(world_, nullptr);
        tap_.emplace(world_->machine("db"), port);
        ASSERT_TRUE(*tap_);
        inventory_ = Inventory::of(world_->node());
        world_->describe(inventory_);
    }
    bool start(lab::Argv options)
    {
        options.insert(options.end(), {"--attach", GetParam(), "--hooks", "none"});
        return world_->agent().start(options);
    }
    // Plugs a pod in, as often as wanted, and watches what passes until it is closed.
    Passed watch_pods(const lab::Node::Plug& plug);
    void watch_one(const lab::Node::Plug& plug, uint64_t life, Passed& passed);
    void tell(const char* what, Passed passed);
    // As the metrics say.
    double refused_of_unknown_pods()
    {
        const auto text = http_get(world_->node().host(), metrics_port, "/metrics");
        const auto values = MetricsText::parse(text).values;
        const auto found =
            values.find(R"(ebpfd_dropped_packets_total{direction="egress",reason="unknown-pod"})");
        EXPECT_NE(found, values.end()) << text;
        return found == values.end() ? 0 : found->second;
    }

    std::unique_ptr<World> world_;
    std::optional<lab::StampTap> tap_;
    Inventory inventory_;
};
INSTANTIATE_TEST_SUITE_P(Agent, NewPods,
                         testing::ValuesIn(lab::kernel_has_tcx()
                                               ? std::vector<std::string>{"clsact", "tcx"}
                                               : std::vector<std::string>{"clsact"}),
                         [](const auto& test) { return test.param; });

void NewPods::watch_one(const lab::Node::Plug& plug, uint64_t life, Passed& passed)
{
    lab::Node& node = world_->node();
    const auto pod = node.make_pod("late", number);
    ASSERT_TRUE(pod) << pod.error().message;
    lab::EarlySender sender(**pod,
                            {{node.packet(**pod, world_->machine("db"), lab::Family::v4), port}});
    sender.begin_life(life);
    ASSERT_TRUE(node.plug_in(**pod, plug));
    uint64_t arrived = 0;
    uint64_t sent_then = 0; // when the last one was heard
    int64_t last_ns = 0;
    EXPECT_TRUE(lab::eventually([&] {
        for (const lab::Stamp& stamp : tap_->take()) {
            ++arrived;
            last_ns = stamp.sent_ns;
            sent_then = sender.sent();
        }
        return sender.sent() > sent_then + after_it;
    })) << "interface "
        << life << " stays open";
    passed.sent += sender.sent();
    passed.packets += arrived;
    passed.interfaces += arrived > 0 ? 1 : 0;
    passed.windows.push_back(arrived == 0 ? 0
                                          : static_cast<double>(last_ns - sender.first_ns()) / 1e6);
    node.unplug(**pod);
}

Passed NewPods::watch_pods(const lab::Node::Plug& plug)
{
    Passed passed;
    for (uint64_t life = 1; life <= lab::count_of("EBPFD_PODS", 10) && !HasFailure(); ++life) {
        watch_one(plug, life, passed);
        world_->node().remove_pod("late");
    }
    return passed;
}

void NewPods::tell(const char* what, Passed passed)
{
    std::ranges::sort(passed.windows);
    const auto at = [&](size_t percent) {
        return passed.windows.at((passed.windows.size() - 1) * percent / 100);
    };
    std::cout << fmt::format(
        "{}: {} interfaces, {} packets sent, {} passed of {} interfaces; window "
        "p50 {:.1f}, p99 {:.1f}, max {:.1f} ms\n",
        what, passed.windows.size(), passed.sent, passed.packets, passed.interfaces, at(50), at(99),
        at(100));
}

TEST_P(NewPods, PodInterfacesAreClosedBeforeTheyAreUp)
{
    ASSERT_TRUE(start({"--pod-interfaces", "veth-late*", "--metrics-listen",
                       fmt::format("127.0.0.1:{}", metrics_port)}));
    const auto before = refused_of_unknown_pods();
    const auto passed = watch_pods({});
    tell("closed from the first moment", passed);
    EXPECT_EQ(passed.packets, 0u);
    EXPECT_GE(refused_of_unknown_pods() - before, static_cast<double>(passed.sent));
}

TEST_P(NewPods, PodInterfacesThatComeWithTheNumberOfAnotherAreClosedToo)
{
    ASSERT_TRUE(start({"--pod-interfaces", "veth-late*"}));
    const auto passed = watch_pods({.index = 5000});
    tell("with a number that was another's", passed);
    EXPECT_EQ(passed.packets, 0u);
}

TEST_P(NewPods, WithoutPodInterfacesAKnownPodIsOpenUntilItsInterfaceIsFound)
{
    ASSERT_TRUE(start({}));
    inventory_.add({.pod_namespace = "ops",
                    .name = "late",
                    .labels = "{app: late}",
                    .addresses = {"10.1.0.50", "fd00:1::50"}});
    world_->describe(inventory_);
    ASSERT_EQ(world_
                  ->enforce({policy("ops/late", "{podSelector: {matchLabels: {app: late}}, "
                                                "policyTypes: [Egress]}")})
                  .exit,
              exit_ok);
    tell("without the option", watch_pods({})); // documented: nobody can know earlier
}

} // namespace
} // namespace system_test
