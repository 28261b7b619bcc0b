// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/rfc3339.h"
#include "lab/kernel.h"
#include "system/world.h"

#include <gmock/gmock.h>
#include <sstream>
#include <thread>

namespace system_test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// The datapath outlives the daemon. Tests that leave no agent behind: the next one starts it.
class Restart : public OnNode {
protected:
    const std::vector<Attempt> judged_{yes("web", "db", 80), no("web", "db", 8080),
                                       icmp("api", "db", false), yes("node", "db", 8080)};
};
INSTANTIATE_TEST_SUITE_P(Agent, Restart, every_node, node_name);

TEST_P(Restart, TerminatedAgentLeavesTheDatapathEnforcing)
{
    enforce({db_allows(80)});
    const auto connection =
        lab::open_connection(machine("scan"), machine("api"), family(), Transport::tcp, 7001);
    ASSERT_TRUE(connection);
    EXPECT_EQ(agent().stop(), exit_ok);
    EXPECT_TRUE(traffic(judged_));
    EXPECT_EQ(agent().ctl({"status"}).exit, exit_unreachable);
    EXPECT_THAT(agent().ask({"map", "list"}), HasSubstr("flow"));
    EXPECT_THAT(agent().ask({"stats", "pods"}), HasSubstr("shop/db"));
    EXPECT_THAT(agent().ask({"stats", "programs"}), HasSubstr("from_pod"));
    EXPECT_TRUE(connection->carries_to_server());

    ASSERT_TRUE(agent().start());
    EXPECT_TRUE(connection->carries_to_client()) << "the flow was adopted";
    EXPECT_TRUE(traffic(judged_));
}

TEST_P(Restart, KilledAgentLeavesItToo)
{
    enforce({db_allows(80)});
    agent().process().signal(SIGKILL);
    ASSERT_TRUE(lab::eventually([this] { return !agent().running(); }));
    // What was left unread before may be of rules that have gone.
    const std::string killed = ebpfd::rfc3339(ebpfd::wall_clock_ns());
    std::this_thread::sleep_for(std::chrono::milliseconds(50)); // records' clock is a tick behind
    EXPECT_TRUE(traffic(judged_));
    ASSERT_TRUE(agent().start());
    const auto drops = agent().ask({"observe", "--last", "100", "--since", killed, "--type", "drop",
                                    "--to-pod", "shop/db", "-o", "jsonl"});
    EXPECT_THAT(drops, HasSubstr("\"port\":8080")) << "what was refused while no agent ran";
    std::istringstream lines(drops);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_THAT(line, HasSubstr("\"policy\":\"shop/db\""));
        EXPECT_THAT(line, ContainsRegex("\"pod\":\"(web|api)\""));
    }
    EXPECT_TRUE(traffic(judged_));
}

TEST_P(Restart, AdoptedTablesKeepTheirCapacityAndSaySo)
{
    const auto capacity = [this] { return agent().ask({"status", "-o", "yaml"}); };
    EXPECT_EQ(agent().stop(), exit_ok);
    EXPECT_EQ(agent().detach().exit, exit_ok);
    ASSERT_TRUE(agent().start({"--max-cidrs", "4321"}));
    EXPECT_THAT(capacity(), HasSubstr("capacity: 4321"));
    EXPECT_EQ(agent().stop(), exit_ok);
    ASSERT_TRUE(agent().start({"--max-cidrs", "6543"}));
    EXPECT_THAT(capacity(), HasSubstr("capacity: 4321"));
    EXPECT_THAT(agent().process().err(), HasSubstr("cidr_map keeps its capacity of 4321"));
    EXPECT_EQ(agent().stop(), exit_ok);
    EXPECT_EQ(agent().detach().exit, exit_ok);
}

TEST_P(Restart, ChangesMadeMeanwhileAreInForceAfterwards)
{
    enforce({db_allows(80)});
    EXPECT_EQ(agent().stop(), exit_ok);
    const auto other = policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: "
                                         "[{ports: [{port: 8080}]}]}");
    replace_file(agent().policies() / other.name, other.text);
    EXPECT_TRUE(traffic(judged_));
    ASSERT_TRUE(agent().start());
    EXPECT_TRUE(traffic({yes("web", "db", 8080), no("web", "db", 80)}));
}

TEST_P(Restart, DetachTakesEverythingAway)
{
    enforce({db_allows(80)});
    EXPECT_EQ(agent().stop(), exit_ok);
    const auto detached = agent().detach();
    EXPECT_EQ(detached.exit, exit_ok) << detached.err;
    EXPECT_TRUE(traffic({yes("web", "db", 8080), icmp("api", "db", true)}));
    EXPECT_FALSE(std::filesystem::exists(agent().bpffs()) &&
                 !std::filesystem::is_empty(agent().bpffs()));
    ASSERT_TRUE(agent().start());
    EXPECT_TRUE(traffic(judged_));
}

TEST_P(Restart, SecondAgentOnTheSameFoldersRefuses)
{
    const auto second = lab::run(agent().command(), machine("node").netns.path());
    EXPECT_EQ(second.exit, exit_failed);
    EXPECT_THAT(second.err, ContainsRegex("another|already"));
    enforce({db_allows(80)});
    EXPECT_TRUE(traffic(judged_)) << "the first one goes on";
}

TEST_P(Restart, AuditModeReportsAndDropsNothing)
{
    EXPECT_EQ(agent().stop(), exit_ok);
    ASSERT_TRUE(agent().start({"--mode", "audit"}));
    enforce({db_allows(80)});
    EXPECT_TRUE(traffic({yes("web", "db", 8080), icmp("api", "db", true)}));
    EXPECT_THAT(agent().ask({"status", "-o", "json"}), ContainsRegex("\"mode\": ?\"audit\""));
    EXPECT_TRUE(lab::eventually([this] {
        const auto seen = agent().ask({"observe", "--last", "50", "-o", "jsonl"});
        return seen.find("would-deny") != std::string::npos;
    }));
    EXPECT_EQ(agent().stop(), exit_ok);
    ASSERT_TRUE(agent().start());
    EXPECT_TRUE(traffic(judged_));
}

// Filters of the older kind, as on kernels without TCX; the same packets, the same verdicts.
TEST_P(Restart, ClsactFiltersEnforceAsTcxLinksDo)
{
    const auto reattach = [this](const std::string& way) {
        EXPECT_EQ(agent().stop(), exit_ok);
        EXPECT_EQ(agent().detach().exit, exit_ok);
        return agent().start({"--attach", way});
    };
    std::vector<std::string> ways{"clsact"};
    if (lab::kernel_has_tcx())
        ways.emplace_back("tcx");
    for (const std::string& way : ways) {
        ASSERT_TRUE(reattach(way)) << agent().process().err();
        enforce({db_allows(80)});
        EXPECT_TRUE(traffic(judged_)) << way;
        EXPECT_THAT(agent().ask({"status", "-o", "json"}), HasSubstr("\"" + way + "\""));
        EXPECT_EQ(agent().stop(), exit_ok);
        EXPECT_TRUE(traffic(judged_)) << way << ", agent down";
        ASSERT_TRUE(agent().start({"--attach", way}));
    }
}

} // namespace
} // namespace system_test
