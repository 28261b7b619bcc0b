// SPDX-License-Identifier: Apache-2.0
#include "lab/kernel.h"
#include "system/world.h"

#include <fstream>
#include <gmock/gmock.h>

namespace system_test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

// What ebpfctl shows about real traffic.
class Ebpfctl : public OnNode {
protected:
    void SetUp() override
    {
        OnNode::SetUp();
        if (HasFatalFailure())
            return;
        enforce({{"shop-db.yaml", "apiVersion: networking.k8s.io/v1\n" // 1
                                  "kind: NetworkPolicy\n"
                                  "metadata:\n"
                                  "  name: db\n"
                                  "  namespace: shop\n" // 5
                                  "spec:\n"
                                  "  podSelector:\n"
                                  "    matchLabels: {app: db}\n"
                                  "  ingress:\n"
                                  "  - ports:\n" // 10
                                  "    - port: 80\n"
                                  "  - ports:\n"
                                  "    - port: 5432\n"}});
    }
    lab::Finished trace(const std::string& to_port, const lab::Argv& more = {})
    {
        lab::Argv argv{"policy", "trace",   "--from", "shop/web",
                       "--to",   "shop/db", "--port", to_port};
        argv.insert(argv.end(), more.begin(), more.end());
        return agent().ctl(argv);
    }
    // Waits until ebpfctl's answer fits.
    testing::AssertionResult shows(const lab::Argv& arguments,
                                   const testing::Matcher<const std::string&>& matcher)
    {
        std::string answer;
        if (lab::eventually([&] {
                answer = agent().ask(arguments);
                return matcher.Matches(answer);
            }))
            return testing::AssertionSuccess();
        return testing::AssertionFailure() << answer;
    }
    std::string address_of(const std::string& name) { return at(name); }
};
INSTANTIATE_TEST_SUITE_P(Tool, Ebpfctl, every_node, node_name);

TEST_P(Ebpfctl, TraceNamesTheDecidingRuleWithFileAndLine)
{
    const auto allowed = trace("5432/TCP");
    EXPECT_EQ(allowed.exit, exit_ok);
    EXPECT_THAT(allowed.out,
                AllOf(HasSubstr("allow"), HasSubstr("shop/db"), HasSubstr("shop-db.yaml:12")));
    const auto denied = trace("8080/TCP", {"--exit-code"});
    EXPECT_EQ(denied.exit, exit_denied);
    EXPECT_THAT(denied.out, AllOf(HasSubstr("deny"), HasSubstr("shop-db.yaml:")));
    EXPECT_EQ(trace("8080/TCP").exit, exit_ok);
    EXPECT_EQ(trace("80/UDP", {"--exit-code"}).exit, exit_denied);
    EXPECT_TRUE(
        traffic({yes("web", "db", 5432), no("web", "db", 8080), udp("web", "db", 53, false)}));
}

TEST_P(Ebpfctl, TraceLeavesNoTrace)
{
    ASSERT_TRUE(traffic({no("web", "db", 8080)}));
    const auto counts = [this] {
        return agent().ask({"stats", "rules", "-o", "json"}) +
               agent().ask({"stats", "pods", "-o", "json"});
    };
    // Once more where others' packets came between: a neighbour is asked now and then.
    EXPECT_TRUE(lab::eventually([&] {
        const auto before = counts();
        EXPECT_EQ(trace("8080/TCP").exit, exit_ok);
        EXPECT_EQ(trace("5432/TCP").exit, exit_ok);
        return counts() == before;
    }));
}

TEST_P(Ebpfctl, ObserveTellsWhoTalkedToWhomAndWhatDecided)
{
    ASSERT_TRUE(traffic({yes("web", "db", 5432), no("scan", "db", 8080)}));
    const lab::Argv last{"observe", "--last", "100", "-o", "jsonl"};
    EXPECT_TRUE(shows(last, ContainsRegex("\"flow_open\".*\"shop\".*")));
    lab::Argv refusals = last;
    refusals.insert(refusals.end(), {"--verdict", "deny", "--ip", address_of("scan")});
    EXPECT_TRUE(shows(refusals,
                      AllOf(HasSubstr("\"drop\""), HasSubstr("\"scan\""), HasSubstr("shop-db.yaml"),
                            HasSubstr("\"shop/db\""), HasSubstr("8080"), Not(HasSubstr("5432")))));
}

TEST_P(Ebpfctl, ObserveFollowsLive)
{
    lab::Process follower = lab::Process::start(
        {EBPFCTL_PROGRAM, "--runtime-dir", agent().runtime(), "--bpffs", agent().bpffs(), "observe",
         "-f", "-o", "jsonl", "--pod", "ops/scan", "--verdict", "deny"});
    // The stream may open a moment later than the first refusal: refuse until it is seen.
    EXPECT_TRUE(lab::eventually([&] {
        EXPECT_TRUE(traffic({no("scan", "db", 8080)}));
        return follower.out().find("\"drop\"") != std::string::npos;
    }));
    EXPECT_TRUE(follower.running());
    (void)follower.stop();
}

TEST_P(Ebpfctl, StatsProgramsCountWhatRunsMeanwhile)
{
    lab::Process counting =
        lab::Process::start({EBPFCTL_PROGRAM, "--bpffs", agent().bpffs(), "stats", "programs",
                             "--for", "500ms", "-o", "jsonl"},
                            node().host().netns.path());
    EXPECT_TRUE(lab::eventually([&] {
        EXPECT_TRUE(traffic({yes("web", "db", 80)}));
        return !counting.running();
    }));
    for (const char* program : {"from_pod", "to_pod"})
        EXPECT_THAT(
            counting.out(),
            ContainsRegex(std::string("\"") + program +
                          "\",\"id\":[0-9]+,\"attached\":..\"kind\":\"[a-z]+\",\"count\":[0-9]+"
                          ".*\"runs\":[1-9]"));
}

TEST_P(Ebpfctl, FlowListShowsOpenConnections)
{
    const auto connection =
        lab::open_connection(machine("web"), machine("db"), family(), Transport::tcp, 7002);
    EXPECT_FALSE(connection);
    const auto open = lab::Socket::connect(machine("web"), Transport::tcp, at("db"), 5432);
    ASSERT_EQ(open.outcome(lab::patience), lab::Outcome::connected);
    EXPECT_TRUE(shows({"flow", "list", "-o", "json"},
                      AllOf(HasSubstr("established"), HasSubstr("5432"), HasSubstr("\"db\""),
                            HasSubstr("\"web\""), HasSubstr("shop-db.yaml"))));
    EXPECT_THAT(agent().ask({"flow", "list"}), HasSubstr("shop/db"));
}

TEST_P(Ebpfctl, StatsCountByPodRuleAndReason)
{
    ASSERT_TRUE(traffic({yes("web", "db", 80), no("scan", "db", 8080)}));
    EXPECT_THAT(agent().ask({"stats", "pods"}), AllOf(HasSubstr("shop/db"), HasSubstr("ops/scan")));
    EXPECT_THAT(agent().ask({"stats", "rules"}), HasSubstr("shop/db"));
    EXPECT_THAT(agent().ask({"stats", "reasons"}), AllOf(HasSubstr("denied"), HasSubstr("rule")));
    EXPECT_EQ(agent().ctl({"stats", "loss"}).exit, exit_ok);
}

TEST_P(Ebpfctl, ListsWhatIsInForce)
{
    EXPECT_THAT(agent().ask({"endpoint", "list"}),
                AllOf(HasSubstr("shop/db"), HasSubstr("veth-db"), HasSubstr(at("web"))));
    EXPECT_THAT(agent().ask({"endpoint", "get", "shop/db"}), HasSubstr("veth-db"));
    EXPECT_THAT(agent().ask({"policy", "list"}), AllOf(HasSubstr("shop"), HasSubstr("db")));
    EXPECT_THAT(agent().ask({"policy", "get", "shop/db"}), HasSubstr("shop-db.yaml"));
    EXPECT_THAT(agent().ask({"policy", "rules", "shop/db"}), HasSubstr("shop-db.yaml:12"));
    EXPECT_THAT(agent().ask({"status"}), HasSubstr("tc"));
    EXPECT_THAT(agent().ask({"map", "list"}), HasSubstr("flow"));
    EXPECT_EQ(agent().ctl({"endpoint", "get", "shop/nobody"}).exit, exit_not_found);
    EXPECT_EQ(agent().ctl({"policy", "get", "shop/nothing"}).exit, exit_not_found);
}

TEST_P(Ebpfctl, StatusSaysHowPodsAreAttached)
{
    const std::string way = lab::kernel_has_tcx() ? "tcx" : "clsact";
    EXPECT_THAT(agent().ask({"status", "-o", "json"}), HasSubstr("\"" + way + "\""));
}

TEST_P(Ebpfctl, ValidateJudgesFilesWithoutUsingThem)
{
    const auto good = policy("shop/x", "{podSelector: {}}");
    const auto file = agent().root() / "draft.yaml";
    replace_file(file, good.text);
    EXPECT_EQ(agent().ctl({"policy", "validate", file}).exit, exit_ok);
    replace_file(file, good.text + "  ingres: []\n");
    const auto refused = agent().ctl({"policy", "validate", file});
    EXPECT_NE(refused.exit, exit_ok);
    EXPECT_THAT(refused.out + refused.err, HasSubstr("draft.yaml:"));
}

} // namespace
} // namespace system_test
