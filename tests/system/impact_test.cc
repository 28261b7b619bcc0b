// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace system_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// What files that are not in force would do to real connections.
class PolicyImpact : public OnNode {
protected:
    std::string proposed(const PolicyFile& file)
    {
        const auto path = agent().root() / file.name;
        replace_file(path, file.text);
        return path;
    }
    json impact(const lab::Argv& arguments)
    {
        lab::Argv all{"policy", "impact", "-o", "json"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        const std::string answer = agent().ask(all);
        return json::parse(answer, nullptr, false);
    }
    // The changes of one kind between two workloads to a port.
    static json changes(const json& impact, const std::string& change, const std::string& from,
                        const std::string& to, uint16_t port)
    {
        json found = json::array();
        for (const json& group : impact.value("changes", json::array()))
            if (group["change"] == change && group["source"]["name"] == from &&
                group["destination"]["name"] == to && group["port"] == port)
                found.push_back(group);
        return found;
    }
};
INSTANTIATE_TEST_SUITE_P(Policy, PolicyImpact, every_node, node_name);

TEST_P(PolicyImpact, AnOpenConnectionThatWouldBeCutIsNamedAndNothingIsApplied)
{
    auto connection =
        lab::open_connection(machine("web"), machine("db"), family(), Transport::tcp, 7101);
    ASSERT_TRUE(connection && connection->carries_to_server() && connection->carries_to_client());
    const std::string file = proposed(db_allows(5432));
    const json cut = changes(impact({file}), "cut", "web", "db", 7101);
    ASSERT_EQ(cut.size(), 1u);
    EXPECT_EQ(cut[0]["open"], 1);
    EXPECT_EQ(cut[0]["direction"], "ingress");
    EXPECT_EQ(cut[0]["policy"], "shop/db");
    EXPECT_EQ(cut[0]["rule"], "isolation");
    EXPECT_EQ(cut[0]["file"], file);
    EXPECT_EQ(cut[0]["line"], 1);
    EXPECT_EQ(cut[0]["example"]["source"]["ip"], at("web"));
    EXPECT_EQ(agent().ctl({"policy", "impact", file, "--exit-code"}).exit, exit_denied);
    EXPECT_TRUE(connection->carries_to_server() && connection->carries_to_client());
    EXPECT_EQ(agent().ctl({"policy", "get", "shop/db"}).exit, exit_not_found);
    connection.reset();
    const auto is_known_as_ended = [&] {
        const json ended = changes(impact({file}), "cut", "web", "db", 7101);
        return ended.size() == 1 && ended[0]["open"] == 0;
    };
    EXPECT_TRUE(lab::eventually(is_known_as_ended, std::chrono::seconds(4)))
        << "sooner than its entry goes";
    const std::string wide = proposed(db_allows(7101));
    EXPECT_TRUE(changes(impact({wide}), "cut", "web", "db", 7101).empty());
}

TEST_P(PolicyImpact, ARefusedAttemptIsNewlyAllowedByTheRuleThatWouldAllowIt)
{
    enforce({db_allows(5432)});
    EXPECT_TRUE(traffic({no("api", "db", 8080)}));
    const std::string file =
        proposed(policy("shop/more", "\n  podSelector: {matchLabels: {app: db}}\n  ingress:\n"
                                     "  - ports: [{port: 8080}]"));
    json allowed;
    ASSERT_TRUE(lab::eventually([&] {
        allowed = changes(impact({file}), "newly-allowed", "api", "db", 8080);
        return !allowed.empty();
    }));
    EXPECT_EQ(allowed[0]["open"], 0) << "at the sender's end it was allowed, but nobody answered";
    EXPECT_EQ(allowed[0]["policy"], "shop/more");
    EXPECT_EQ(allowed[0]["rule"], "ingress[0]");
    EXPECT_EQ(allowed[0]["line"], 7);
    EXPECT_EQ(allowed[0]["before"]["rule"], "isolation");
    EXPECT_EQ(allowed[0]["before"]["policy"], "shop/db");
    EXPECT_TRUE(traffic({no("api", "db", 8080)}));
    // The same without the policy that refuses it.
    const json removed =
        changes(impact({"--remove", "shop/db"}), "newly-allowed", "api", "db", 8080);
    ASSERT_EQ(removed.size(), 1u);
    EXPECT_EQ(removed[0]["reason"], "no-policy");
}

TEST_P(PolicyImpact, WhatAPodThatIsGoneDidIsNotJudged)
{
    EXPECT_TRUE(traffic({yes("web", "db", 80)}));
    const std::string file = proposed(db_allows(5432));
    ASSERT_TRUE(
        lab::eventually([&] { return !changes(impact({file}), "cut", "web", "db", 80).empty(); }));
    inventory_.pod("web").name = "other";
    describe(inventory_);
    const json after = impact({file});
    EXPECT_GT(after["flows"]["not_judged"], 0);
    EXPECT_FALSE(after["history"]["since"].is_null());
}

TEST_P(PolicyImpact, BadFilesAndUnknownNamesAreErrors)
{
    const auto bad = agent().ctl({"policy", "impact", proposed(policy("shop/x", "{ingres: []}"))});
    EXPECT_EQ(bad.exit, exit_failed);
    EXPECT_THAT(bad.err, HasSubstr("shop-x.yaml:4:8: unknown field"));
    EXPECT_EQ(agent().ctl({"policy", "impact", "--remove", "shop/none"}).exit, exit_not_found);
    std::string rules;
    for (int port = 1; port <= 513; ++port)
        rules += fmt::format("{}{{ports: [{{port: {}}}]}}", port > 1 ? ", " : "", port);
    const auto large =
        agent().ctl({"policy", "impact",
                     proposed(policy("shop/x", "{podSelector: {}, ingress: [" + rules + "]}"))});
    EXPECT_EQ(large.exit, exit_failed);
    EXPECT_THAT(large.err, HasSubstr("512"));
}

} // namespace
} // namespace system_test
