// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace system_test {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr uint16_t port = 7100;

// Policies that say what they would do; real connections.
class DryRun : public OnNode {
protected:
    static PolicyFile rehearsed(PolicyFile file)
    {
        file.text.insert(file.text.find("metadata: {") + std::string("metadata: {").size(),
                         "annotations: {ebpfd.io/mode: dry-run}, ");
        return file;
    }
    static PolicyFile db_allows(const std::string& name, int allowed)
    {
        return policy("shop/" + name, fmt::format("{{podSelector: {{matchLabels: {{app: db}}}}, "
                                                  "ingress: [{{ports: [{{port: {}}}]}}]}}",
                                                  allowed));
    }
    Json ask(lab::Argv arguments)
    {
        arguments.insert(arguments.end(), {"-o", "json"});
        return Json::parse(agent().ask(arguments));
    }
    // The newest record with this verdict of a connection to db's port.
    Json told(const std::string& verdict, int to_port)
    {
        Json newest;
        EXPECT_TRUE(lab::eventually([&] {
            const std::string lines =
                agent().ask({"observe", "--verdict", verdict, "--to-pod", "shop/db", "--to-port",
                             std::to_string(to_port), "--last", "1", "-o", "jsonl"});
            newest = Json::parse(lines, nullptr, false);
            return newest.is_object();
        })) << verdict;
        return newest;
    }
    Json db_ingress()
    {
        for (const Json& row : ask({"stats", "pods"}))
            if (row["pod"] == "db" && row["direction"] == "ingress")
                return row;
        return {};
    }
};
INSTANTIATE_TEST_SUITE_P(Policy, DryRun, every_node, node_name);

TEST_P(DryRun, WhatItWouldRefusePassesAndIsToldWithPolicyFileAndLine)
{
    enforce({rehearsed(db_allows("trial", 80))});
    const Json before = db_ingress();
    EXPECT_TRUE(traffic({yes("web", "db", 80), yes("web", "db", 5432), yes("api", "db", 80)}));
    const Json event = told("would-deny", 5432);
    EXPECT_EQ(event["verdict"], "would-deny");
    EXPECT_EQ(event["policy"], "shop/trial");
    EXPECT_EQ(event["rule"], "isolation");
    EXPECT_THAT(event["file"].get<std::string>(), HasSubstr("shop-trial.yaml"));
    EXPECT_GT(event["line"], 0);
    EXPECT_EQ(event["enforced"], nullptr);
    const Json after = db_ingress();
    EXPECT_GT(after["would_deny_packets"], before["would_deny_packets"]);
    EXPECT_EQ(after["denied_packets"], before["denied_packets"]);
    EXPECT_EQ(agent().ask({"observe", "--verdict", "deny", "--to-pod", "shop/db", "--to-port",
                           "5432", "--last", "1", "-o", "jsonl"}),
              "");
}

TEST_P(DryRun, WhatItWouldAllowStaysRefusedAndBothRulesAreNamed)
{
    enforce({db_allows("strict", 80), rehearsed(db_allows("trial", 5432))});
    EXPECT_TRUE(traffic({yes("web", "db", 80), no("web", "db", 5432), no("web", "db", 8080)}));
    const Json event = told("would-allow", 5432);
    EXPECT_EQ(event["policy"], "shop/trial");
    EXPECT_EQ(event["rule"], "ingress[0]");
    EXPECT_EQ(event["enforced"]["policy"], "shop/strict");
    EXPECT_EQ(event["enforced"]["rule"], "isolation");
    EXPECT_THAT(event["enforced"]["file"].get<std::string>(), HasSubstr("shop-strict.yaml"));
    // It was refused, and whoever looks for refusals finds it.
    EXPECT_EQ(told("deny", 5432)["verdict"], "would-allow");
    EXPECT_EQ(told("deny", 8080)["verdict"], "deny");
    EXPECT_GT(db_ingress()["would_allow_packets"], 0);
    const auto trace = [&](const char* to) {
        return agent().ctl({"policy", "trace", "--from", "shop/web", "--to", "shop/db", "--port",
                            to, "--exit-code"});
    };
    EXPECT_EQ(trace("5432/tcp").exit, exit_denied);
    EXPECT_THAT(trace("5432/tcp").out, HasSubstr("would-allow"));
    EXPECT_EQ(trace("80/tcp").exit, exit_ok);
}

TEST_P(DryRun, TheWholeLifeOfAPolicyUnderAnOpenConnection)
{
    enforce({});
    const auto connection =
        lab::open_connection(machine("web"), machine("db"), family(), Transport::tcp, port);
    ASSERT_TRUE(connection);
    enforce({rehearsed(db_allows("trial", 80))});
    EXPECT_TRUE(connection->carries_to_server() && connection->carries_to_client());
    EXPECT_EQ(told("would-deny", port)["policy"], "shop/trial");
    enforce({db_allows("trial", 80)});
    EXPECT_FALSE(connection->carries_to_server(lab::silence));
    EXPECT_EQ(told("deny", port)["policy"], "shop/trial");
}

TEST_P(DryRun, RulesAndTheirCountersSayTheirMode)
{
    enforce({rehearsed(db_allows("trial", 80))});
    EXPECT_TRUE(traffic({yes("web", "db", 5432)}));
    bool found = false;
    for (const Json& row : ask({"stats", "rules"}))
        if (row["policy"] == "shop/trial" && row["rule"] == "isolation") {
            found = true;
            EXPECT_EQ(row["mode"], "dry-run");
            EXPECT_GT(row["denied_packets"], 0);
        }
    EXPECT_TRUE(found);
    for (const Json& row : ask({"policy", "rules", "shop/db"}))
        EXPECT_EQ(row["mode"], "dry-run");
}

TEST_P(DryRun, CoverageExplainAndImpactKnowIt)
{
    enforce({db_allows("strict", 80), rehearsed(db_allows("trial", 5432))});
    EXPECT_TRUE(traffic({no("web", "db", 5432)}));
    const Json coverage = ask({"policy", "coverage", "shop/trial"});
    ASSERT_EQ(coverage["rules"].size(), 1u); // it isolates nobody
    const Json& rule = coverage["rules"][0];
    EXPECT_EQ(rule["mode"], "dry-run");
    EXPECT_EQ(rule["decides"], "yes");
    EXPECT_GT(rule["allowed_connections"], 0); // that it would have allowed
    EXPECT_THAT(rule["last_hit"].get<std::string>(), HasSubstr("T"));
    const Json explained = ask({"policy", "explain", "shop/db"})["ingress"];
    EXPECT_THAT(explained["tiers"][1]["closing"].get<std::string>(),
                HasSubstr("isolated by shop/strict: everything else is refused"));
    EXPECT_THAT(explained["decided"].dump(), Not(HasSubstr("shop/trial")));
    // What would it do in earnest?
    const auto file = agent().root() / "trial.yaml";
    replace_file(file, rehearsed(db_allows("trial", 5432)).text);
    const Json impact = ask({"policy", "impact", file});
    EXPECT_THAT(impact["notes"].dump(), HasSubstr("judged as if it were enforced"));
    EXPECT_GT(impact["flows"]["newly_allowed"], 0);
}

// What passes is not refused because a dry run says so, and what is refused does not pass.
TEST_P(DryRun, ItsVerdictsAreNotThoseOfConnections)
{
    enforce({rehearsed(db_allows("trial", 80))});
    EXPECT_TRUE(traffic({yes("scan", "db", 8080)}));
    told("would-deny", 8080);
    EXPECT_TRUE(lab::eventually([&] {
        return agent()
                   .ask({"policy", "suggest", "-n", "shop", "--workload", "db"})
                   .find("port: 8080") != std::string::npos;
    }));

    constexpr int trial_port = 7201;
    enforce({db_allows("strict", 80), rehearsed(db_allows("trial", trial_port))});
    EXPECT_TRUE(traffic({no("scan", "db", trial_port)}));
    told("would-allow", trial_port);
    const auto file = agent().root() / "trial.yaml";
    replace_file(file, db_allows("trial", trial_port).text);
    const Json changes = ask({"policy", "impact", file})["changes"];
    EXPECT_TRUE(std::ranges::any_of(changes, [&](const Json& change) {
        return change["change"] == "newly-allowed" && change["port"] == trial_port;
    })) << changes;
}

TEST_P(DryRun, ASlipInTheModeIsAnErrorOfTheFile)
{
    enforce({db_allows("trial", 80)});
    auto slip = rehearsed(db_allows("trial", 81));
    slip.text.replace(slip.text.find("dry-run"), 7, "dry_run");
    EXPECT_EQ(world_->enforce({slip}).exit, exit_degraded);
    EXPECT_THAT(agent().ctl({"status", "-o", "json"}).out, HasSubstr("must be dry-run or enforce"));
    EXPECT_TRUE(traffic({yes("web", "db", 80), no("web", "db", 81)}));
}

} // namespace
} // namespace system_test
