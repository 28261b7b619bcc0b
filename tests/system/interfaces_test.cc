// SPDX-License-Identifier: Apache-2.0
#include "kernel/filters.h"
#include "system/world.h"

#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <net/if.h>

namespace system_test {
namespace {

using testing::HasSubstr;

// Pods that come, go and change while the agent runs.
class Interfaces : public OnNode {
protected:
    void TearDown() override
    {
        if (world_ != nullptr && late_ != nullptr)
            node().remove_pod("late");
    }
    void plug_in(uint8_t number = 50)
    {
        const auto made = node().add_pod("late", number);
        ASSERT_TRUE(made) << made.error().message;
        late_ = *made;
        ASSERT_TRUE(world_->serve(*late_));
    }
    void unplug()
    {
        node().remove_pod("late");
        late_ = nullptr;
    }
    static PodObject late_pod(uint8_t number = 50)
    {
        const std::string digits = std::to_string(number);
        return {.pod_namespace = "ops",
                .name = "late",
                .labels = "{app: late}",
                .addresses = {"10.1.0." + digits, "fd00:1::" + digits}};
    }
    static PolicyFile late_allows_80()
    {
        return policy("ops/late", "{podSelector: {matchLabels: {app: late}}, ingress: [{ports: "
                                  "[{port: 80}]}]}");
    }
    // Waits until the agent shows this text in its list of endpoints, and until it has finished
    // what it does about them.
    testing::AssertionResult listed(const std::string& text)
    {
        std::string list;
        if (lab::eventually([&] {
                list = agent().ask({"endpoint", "list"});
                return list.find(text) != std::string::npos;
            }) &&
            agent().settle().exit == exit_ok)
            return testing::AssertionSuccess();
        return testing::AssertionFailure() << "no " << text << " in\n" << list;
    }

    // How often the agent has found that somebody had opened the interface.
    size_t told_of_open() { return agent().times_it_said("interface veth-late was open"); }
    // Called inside of the node. What the pod is sent leaves the node at this hook.
    static void remove_filter()
    {
        const uint32_t ifindex = if_nametoindex("veth-late");
        const auto filters = ebpfd::filters_at(ifindex, ebpfd::HOOKS[1]);
        ASSERT_TRUE(filters && filters->size() == 1);
        LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex),
                    .attach_point = BPF_TC_EGRESS);
        LIBBPF_OPTS(bpf_tc_opts, options, .handle = filters->front().handle,
                    .priority = filters->front().priority);
        EXPECT_EQ(bpf_tc_detach(&hook, &options), 0);
    }
    static void remove_qdisc()
    {
        LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(if_nametoindex("veth-late")),
                    .attach_point =
                        static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
        EXPECT_EQ(bpf_tc_hook_destroy(&hook), 0);
    }

    lab::Machine* late_ = nullptr;
    const std::vector<Attempt> judged_{yes("web", "late", 80), no("web", "late", 8080)};
};
INSTANTIATE_TEST_SUITE_P(Agent, Interfaces, every_node, node_name);

TEST_P(Interfaces, PodIsEnforcedWhenItsInterfaceAppears)
{
    inventory_.add(late_pod());
    describe(inventory_);
    enforce({late_allows_80()});
    plug_in();
    EXPECT_TRUE(listed("veth-late"));
    EXPECT_TRUE(traffic(judged_));
    unplug();
    EXPECT_TRUE(lab::eventually([this] {
        return agent().ask({"endpoint", "list"}).find("veth-late") == std::string::npos;
    }));
}

TEST_P(Interfaces, ProgramsThatSomebodyRemovesAreFoundMissingAndPutBack)
{
    inventory_.add(late_pod());
    describe(inventory_);
    enforce({late_allows_80()});
    plug_in();
    EXPECT_TRUE(listed("veth-late"));
    // In the quiet moment after it came, links have taken over from its filters.
    const auto links = agent().bpffs() / "links";
    const auto linked = [&] {
        return std::distance(std::filesystem::directory_iterator(links), {}) == 10 &&
               agent().ask({"stats", "programs"}).find("clsact") == std::string::npos;
    };
    ASSERT_TRUE(lab::eventually(linked));
    for (const auto& link : std::filesystem::directory_iterator(links))
        std::filesystem::remove(link);
    EXPECT_TRUE(traffic({yes("web", "late", 8080)})); // open, as nobody has looked
    EXPECT_EQ(agent().settle().exit, exit_ok);
    EXPECT_TRUE(traffic(judged_));
    EXPECT_THAT(agent().process().err(), HasSubstr("interface veth-late was open"));
}

// The kernel tells of these, long before anybody would look; who goes on is answered with a tick.
TEST_P(Interfaces, FiltersThatSomebodyRemovesArePutBackAtOnce)
{
    ASSERT_EQ(agent().stop(), exit_ok);
    ASSERT_TRUE(agent().start({"--attach", "clsact"})) << agent().process().err();
    inventory_.add(late_pod());
    describe(inventory_);
    enforce({late_allows_80()});
    plug_in();
    EXPECT_TRUE(listed("veth-late"));
    for (const bool whole_qdisc : {false, true}) {
        SCOPED_TRACE(whole_qdisc);
        const auto told = told_of_open();
        machine("node").netns.enter([&] { whole_qdisc ? remove_qdisc() : remove_filter(); });
        EXPECT_TRUE(lab::eventually([&] { return told_of_open() == told + 1; }));
        EXPECT_EQ(agent().settle().exit, exit_ok); // told right before it puts them back
        EXPECT_TRUE(traffic(judged_));
    }
    EXPECT_EQ(told_of_open(), 2u) << "what the agent removes itself is no loss";
}

TEST_P(Interfaces, PodIsEnforcedWhenItIsDescribed)
{
    enforce({late_allows_80()});
    plug_in();
    EXPECT_TRUE(traffic({yes("web", "late", 8080)}));
    inventory_.add(late_pod());
    describe(inventory_);
    EXPECT_TRUE(traffic(judged_));
}

TEST_P(Interfaces, RenamedInterfaceStaysItsPods)
{
    inventory_.add(late_pod());
    describe(inventory_);
    enforce({late_allows_80()});
    plug_in();
    EXPECT_TRUE(listed("veth-late"));
    ASSERT_TRUE(machine("node").netns.ip("link set veth-late name veth-new\n"));
    late_->host_interface = "veth-new";
    EXPECT_TRUE(listed("veth-new"));
    EXPECT_TRUE(traffic(judged_));
}

TEST_P(Interfaces, ReusedNameIsANewPod)
{
    inventory_.add(late_pod());
    describe(inventory_);
    enforce({late_allows_80()});
    plug_in();
    EXPECT_TRUE(listed("veth-late"));
    unplug();
    plug_in(51);
    inventory_.remove("late");
    PodObject other = late_pod(51);
    other.name = "other";
    other.labels = "{app: other}";
    inventory_.add(other);
    describe(inventory_);
    EXPECT_TRUE(listed("ops/other"));
    EXPECT_TRUE(traffic({yes("web", "late", 80), yes("web", "late", 8080)}));
}

TEST_P(Interfaces, AnnotationNamesTheInterface)
{
    plug_in();
    PodObject pod = late_pod();
    pod.annotations = "{ebpfd.io/interface: veth-late}";
    inventory_.add(pod);
    describe(inventory_);
    enforce({late_allows_80()});
    EXPECT_TRUE(listed("veth-late"));
    EXPECT_TRUE(traffic(judged_));
}

TEST_P(Interfaces, PodInterfacesAreClosedUntilTheirPodIsKnown)
{
    EXPECT_EQ(agent().stop(), exit_ok);
    ASSERT_TRUE(agent().start({"--pod-interfaces", "veth*"}));
    plug_in();
    EXPECT_TRUE(listed("veth-late"));
    EXPECT_TRUE(traffic({no("web", "late", 80), no("late", "web", 80), yes("web", "db", 80)}));
    inventory_.add(late_pod());
    describe(inventory_);
    EXPECT_TRUE(traffic({yes("web", "late", 80), yes("late", "web", 80)}));
    unplug();
    EXPECT_EQ(agent().stop(), exit_ok);
}

} // namespace
} // namespace system_test
