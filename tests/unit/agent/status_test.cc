// SPDX-License-Identifier: Apache-2.0
#include "status.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ebpfd {
namespace {

using Json = nlohmann::json;

std::shared_ptr<const Pod> pod(const std::string& name, const Labels& labels,
                               const char* address = "10.0.0.1")
{
    Pod out;
    out.pod_namespace = "shop";
    out.name = name;
    out.labels = labels;
    out.addresses = {*IpAddress::parse(address)};
    return std::make_shared<Pod>(out);
}

std::shared_ptr<const NetworkPolicy> policy()
{
    NetworkPolicy out;
    out.policy_namespace = "shop";
    out.name = "allow";
    out.pod_selector.requirements = {{"app", Requirement::Operator::in, {"web"}}};
    out.origin = {"/p/allow.yaml", 3, 1};
    PolicyRule rule;
    rule.origin = {"/p/allow.yaml", 9, 5};
    rule.peers = {{.block = {}, .namespaces = Selector{}, .pods = {}},
                  {.block = IpBlock{*Cidr::parse("10.0.0.0/8"), {*Cidr::parse("10.1.0.0/16")}},
                   .namespaces = {},
                   .pods = {}}};
    rule.ports = {{Protocol::tcp, PortRange{80, 90}}, {Protocol::udp, "dns"}};
    out.ingress = {rule, PolicyRule{}};
    return std::make_shared<NetworkPolicy>(out);
}

View view()
{
    auto world = std::make_shared<World>();
    world->policies = {policy()};
    const auto web = pod("web", {{"app", "web"}});
    world->pods = {web, pod("far", {{"app", "web"}}, "10.0.0.2"), pod("db", {})};
    world->interfaces = {{7, "veth7", web}, {8, "veth8", world->pods[2]}, {9, "veth9", nullptr}};
    View out;
    out.revision = 1;
    out.world = world;
    return out;
}

TEST(Status, HealthyAgentIsOk)
{
    View v = view();
    v.attach = "tcx";
    v.generation = 4;
    v.applied_ns = 1'767'225'600'000'000'000;
    v.apply_duration = std::chrono::microseconds(1500);
    v.directories = {{"/etc/ebpfd/policies.d", "policy", 2, "", false}};
    const Json json =
        Json::parse(status_json(v, {"1.0", "node", true, 0}, {{"flows", 3, 10, "--max-flows"}}));
    EXPECT_EQ(json["health"], "ok");
    EXPECT_EQ(json["mode"], "audit");
    EXPECT_EQ(json["generation"], 4);
    EXPECT_EQ(json["last_apply"]["time"], "2026-01-01T00:00:00.000000000Z");
    EXPECT_EQ(json["last_apply"]["duration_us"], 1500);
    EXPECT_EQ(json["directories"][0]["files"], 2);
    EXPECT_EQ(json["directories"][0]["tolerated"], false);
    EXPECT_EQ(json["counts"]["pods"], 3);
    EXPECT_EQ(json["capacities"][0]["option"], "--max-flows");
    EXPECT_EQ(json["hooks"][0]["attachment"], "tcx");
    EXPECT_EQ(json["files_with_errors"], Json::array());
}

TEST(Status, HooksThatAreMissingSayWhyAndDegradeNothing)
{
    View v = view();
    v.hooks = {{"tcp_rtt", "tp_btf tcp_probe", ""}, {"kernel_drop", "", "tp_btf kfree_skb: no"}};
    const Json json = Json::parse(status_json(v, {"1.0", "node", false, 0}, {}, std::nullopt));
    EXPECT_EQ(json["hooks"][1],
              (Json{{"name", "tcp_rtt"}, {"attachment", "tp_btf tcp_probe"}, {"error", ""}}));
    EXPECT_EQ(json["hooks"][2]["attachment"], "");
    EXPECT_EQ(json["hooks"][2]["error"], "tp_btf kfree_skb: no");
    EXPECT_FALSE(v.degraded());
}

TEST(Status, EachTroubleDegrades)
{
    EXPECT_FALSE(view().degraded());
    View v = view();
    v.file_errors = {{{"/p/a.yaml", 2, 3}, "reason"}};
    EXPECT_TRUE(v.degraded());
    v = view();
    v.apply_error = "apply: no room";
    EXPECT_TRUE(v.degraded());
    v = view();
    v.attach_warnings = {"veth7: not attached"};
    EXPECT_TRUE(v.degraded());
    v = view();
    v.copies_error = "disk full";
    EXPECT_TRUE(v.degraded());
    FlowLog::Counts flow_log;
    flow_log.error = "disk full";
    EXPECT_EQ(Json::parse(status_json(view(), {}, {}, flow_log))["health"], "degraded");
    v = view();
    v.directories = {{"/p", "policy", 0, "gone", false}};
    EXPECT_TRUE(v.degraded());
    v.directories[0].tolerated = true;
    EXPECT_FALSE(v.degraded());
    v.revision = 0;
    EXPECT_TRUE(v.degraded()) << "nothing is in force yet";
}

TEST(Noticeboard, KnowsALoopThatHangsFromItsFirstTurnOn)
{
    using std::chrono::seconds;
    Noticeboard board;
    EXPECT_EQ(board.hang(seconds(-1)), std::nullopt);
    board.turn();
    EXPECT_EQ(board.hang(), std::nullopt);
    EXPECT_NE(board.hang(seconds(-1)).value_or("").find("the main loop hangs"), std::string::npos);
}

TEST(Noticeboard, NamesTheFolderThatIsWaitedForUntilItAnswers)
{
    Noticeboard board;
    EXPECT_EQ(board.trouble(), std::nullopt);
    board.waits_for("/etc/ebpfd/policies.d");
    EXPECT_NE(board.trouble().value_or("").find("waits for /etc/ebpfd/policies.d"),
              std::string::npos);
    EXPECT_EQ(board.hang(), std::nullopt) << "a probe that restarts the agent would help nobody";
    board.waits_for(std::nullopt);
    EXPECT_EQ(board.trouble(), std::nullopt);
}

TEST(Status, WarningsAloneDoNotDegrade)
{
    View v = view();
    v.warnings = {"NetworkPolicy stands twice"};
    EXPECT_FALSE(v.degraded());
    EXPECT_EQ(Json::parse(status_json(v, {}, {}))["warnings"][0], "NetworkPolicy stands twice");
}

TEST(Status, AFlowLogThatFailsIsAWarning)
{
    EXPECT_TRUE(Json::parse(status_json(view(), {}, {}))["flow_log"].is_null());
    FlowLog::Counts counts;
    counts.taken = 9;
    counts.dropped = 3;
    counts.queued = 2;
    counts.errors = 1;
    counts.error = "write /l: No space left on device";
    const Json json = Json::parse(status_json(view(), {}, {}, counts));
    EXPECT_EQ(json["flow_log"]["taken"], 9);
    EXPECT_EQ(json["flow_log"]["dropped"], 3);
    EXPECT_EQ(json["warnings"].back(),
              "flow log: write /l: No space left on device; 2 records wait, 3 were dropped");
}

TEST(Status, FileErrorsCarryTheirPlace)
{
    View v = view();
    v.file_errors = {{{"/p/a.yaml", 2, 3}, "unknown field \"ingres\""}};
    const Json json = Json::parse(status_json(v, {}, {}))["files_with_errors"];
    EXPECT_EQ(json, Json::parse(R"([{"file": "/p/a.yaml", "line": 2, "column": 3,
                                     "reason": "unknown field \"ingres\""}])"));
}

TEST(Policies, ListNamesTheLocalPodsThatAreSelected)
{
    const Json json = Json::parse(policies_json(view()));
    EXPECT_EQ(json, Json::parse(R"([{"kind": "NetworkPolicy", "namespace": "shop",
        "name": "allow", "file": "/p/allow.yaml", "line": 3, "mode": "enforce", "pod_selector": "app=web",
        "ingress_rules": 2, "egress_rules": null, "selected_pods": ["shop/web"]}])"));
}

TEST(Policies, OneIsShownWithItsRules)
{
    const auto text = policy_json(view(), "shop", "allow");
    ASSERT_TRUE(text);
    const Json json = Json::parse(*text);
    EXPECT_TRUE(json["egress"].is_null());
    EXPECT_EQ(json["ingress"], Json::parse(R"([
        {"line": 9, "action": "allow", "peers": ["pods all in namespaces all", "10.0.0.0/8 except 10.1.0.0/16"],
         "ports": ["80-90/TCP", "dns/UDP"]},
        {"line": 0, "action": "allow", "peers": ["everyone"], "ports": ["every port"]}])"));
    EXPECT_FALSE(policy_json(view(), "shop", "other"));
    EXPECT_FALSE(policy_json(view(), "default", "allow"));
}

TEST(Pods, LocalOnesHaveTheirInterface)
{
    const Json json = Json::parse(pods_json(view()));
    EXPECT_EQ(json[0], Json::parse(R"({"namespace": "shop", "name": "web",
        "addresses": ["10.0.0.1"], "labels": {"app": "web"}, "node": "", "host_network": false,
        "finished": false, "local": true, "interface": "veth7"})"));
    EXPECT_EQ(json[1]["local"], false);
    EXPECT_EQ(json[1]["interface"], "");
}

} // namespace
} // namespace ebpfd
