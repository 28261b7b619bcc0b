// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace system_test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

// Policies made from what real pods did, and then put in force. The pods have namespaces of their
// own here, so that what they did in other tests is somebody else's.
class PolicySuggest : public OnNode {
protected:
    void SetUp() override
    {
        OnNode::SetUp();
        const std::string own = fmt::format("seen-{}", block("v4", "v6"));
        for (const char* name : {"web", "db", "api", "scan"})
            inventory_.pod(name).pod_namespace = own;
        describe(inventory_);
        space_ = own;
    }
    json suggestion(const lab::Argv& options = {})
    {
        lab::Argv all{"policy", "suggest", "-n", space_, "-o", "json"};
        all.insert(all.end(), options.begin(), options.end());
        const json answer = json::parse(agent().ask(all), nullptr, false);
        return answer.is_object() ? answer : json::object();
    }
    // Waits until the suggestion says all this.
    std::string suggested(const std::vector<std::string>& said, const lab::Argv& options = {})
    {
        std::string yaml;
        const bool all = lab::eventually([&] {
            yaml = suggestion(options).value("yaml", "");
            return std::ranges::all_of(
                said, [&](const auto& text) { return yaml.find(text) != std::string::npos; });
        });
        EXPECT_TRUE(all) << yaml << agent().ctl({"policy", "suggest", "-n", space_}).err;
        return yaml;
    }
    const std::vector<Attempt> seen_{yes("web", "db", 5432), yes("api", "web", 80),
                                     yes("web", "outside", 80), udp("web", "api", 53, true)};
    std::string space_;
};
INSTANTIATE_TEST_SUITE_P(Policy, PolicySuggest, every_node, node_name);

TEST_P(PolicySuggest, WhatWasSeenGoesOnAndNothingElse)
{
    EXPECT_TRUE(traffic(seen_));
    const std::string yaml =
        suggested({"web-observed", "db-observed", "api-observed", "port: 5432", "UDP, port: 53",
                   "TCP, port: 53", at("outside"), "No egress was seen"});
    enforce({{"suggested.yaml", yaml}});
    EXPECT_TRUE(traffic(seen_));
    EXPECT_TRUE(traffic({no("scan", "db", 5432), no("web", "db", 8080), no("api", "web", 8080),
                         no("web", "scan", 80), no("db", "web", 80), udp("api", "db", 53, false),
                         yes("db", "scan", 80), yes("node", "db", 8080)}));
    // To take it out would cut nothing.
    EXPECT_EQ(
        agent()
            .ctl({"policy", "impact", "--exit-code", "-n", space_, "--remove", "web-observed"})
            .exit,
        exit_ok);
}

TEST_P(PolicySuggest, WhatWasNotSeenCanBeClosedToo)
{
    EXPECT_TRUE(traffic(seen_));
    const std::string yaml =
        suggested({"web-observed", "scan-observed", "port: 5432", "UDP, port: 53", at("outside")},
                  {"--isolate"});
    enforce({{"suggested.yaml", yaml}});
    EXPECT_TRUE(traffic(seen_));
    EXPECT_TRUE(traffic({no("db", "scan", 8080), no("scan", "outside", 80)}));
}

TEST_P(PolicySuggest, ItIsTextForAFileAndSaysWhatItRestsOn)
{
    EXPECT_TRUE(traffic(seen_));
    suggested({"port: 5432"}, {"--workload", "db"});
    const auto printed = agent().ctl({"policy", "suggest", "-n", space_, "--workload", "db"});
    EXPECT_EQ(printed.exit, exit_ok) << printed.err;
    EXPECT_THAT(printed.out, AllOf(HasSubstr("# What node "), HasSubstr("kind: NetworkPolicy"),
                                   HasSubstr("1 of its 1 pod on this node")));
    EXPECT_EQ(printed.out.find("web-observed"), std::string::npos);
    EXPECT_EQ(agent().ctl({"policy", "suggest", "-n", "nowhere"}).exit, exit_not_found);
    EXPECT_EQ(agent().ctl({"policy", "suggest", "--workload", "none"}).exit, exit_not_found);
}

TEST_P(PolicySuggest, AServiceIsItsBackends)
{
    inventory_.add_object(fmt::format(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: db, namespace: {}}}\nspec: {{clusterIPs: "
        "['{}'], ports: [{{port: 80}}]}}",
        space_, world_->address("service", family())));
    inventory_.add_object(fmt::format(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {{name: db-1, namespace: "
        "{}, labels: {{kubernetes.io/service-name: db}}}}\nports: [{{port: 5432}}]\nendpoints: "
        "[{{addresses: ['{}']}}]",
        space_, at("db")));
    describe(inventory_);
    // Nobody translates it here: the attempt is seen, and allowed, on its way out.
    const auto attempt = lab::Socket::connect(machine("web"), Transport::tcp,
                                              world_->address("service", family()), 80);
    ASSERT_TRUE(attempt);
    const std::string yaml = suggested({"port: 5432", "app: db"}, {"--workload", "web"});
    EXPECT_EQ(yaml.find(world_->address("service", family())), std::string::npos) << yaml;
}

} // namespace
} // namespace system_test
