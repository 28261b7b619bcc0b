// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

struct ExplainCommand : testing::Test {
    Tool tool;

    static Json decided(const std::string& workload, const std::string& verdict)
    {
        return {{"verdict", verdict},
                {"workload", workload},
                {"kind", ""},
                {"pods", workload.empty() ? 0 : 2},
                {"blocks", Json::array()},
                {"elsewhere", workload.empty()},
                {"ports", {"80/TCP"}},
                {"policy", "shop/db"},
                {"rule", "ingress[0]"},
                {"file", "db.yaml"},
                {"line", 7}};
    }
    void answer(Json ingress_decided)
    {
        const Json rule{
            {"rule", "ingress[0]"}, {"action", "allow"}, {"peers", {"pods app=web", "10.0.0.0/8"}},
            {"ports", {"80/TCP"}},  {"file", "db.yaml"}, {"line", 7}};
        const Json policy{{"policy", "shop/db"}, {"priority", nullptr}, {"selector", "app=db"},
                          {"file", "db.yaml"},   {"line", 1},           {"rules", {rule}}};
        const Json tier{{"tier", "NetworkPolicy"},
                        {"policies", {policy}},
                        {"closing", "isolated by shop/db: everything else is refused"}};
        const Json direction{{"tiers", {tier}}, {"decided", std::move(ingress_decided)}};
        const Json answer{{"namespace", "shop"},
                          {"pod", "db-0"},
                          {"workload", "shop/db"},
                          {"local", true},
                          {"exempt", false},
                          {"ingress", direction},
                          {"egress", {{"tiers", Json::array()}, {"decided", Json::array()}}}};
        tool.answers["/v1/policy/explain"] = answer.dump();
    }
};

TEST_F(ExplainCommand, ReadsTierByTierAndEndsWithWhoIsAllowed)
{
    answer(Json::array({decided("shop/web", "allow"), decided("", "deny")}));
    ASSERT_EQ(tool.run({"policy", "explain", "shop/db-0"}), Exit::ok) << tool.err;
    EXPECT_THAT(tool.out,
                HasSubstr("INGRESS to shop/db-0\n"
                          "NetworkPolicy\n"
                          "  shop/db  [db.yaml:1]\n"
                          "    allow from pods app=web; 10.0.0.0/8 on 80/TCP  [ingress[0], "
                          "db.yaml:7]\n"
                          "  isolated by shop/db: everything else is refused\n"));
    EXPECT_THAT(tool.out, HasSubstr("shop/web (2 pods)  80/TCP  shop/db ingress[0]  db.yaml:7"));
    EXPECT_EQ(tool.asked, std::vector<std::string>{"/v1/policy/explain?pod=shop%2Fdb-0"});
    EXPECT_THAT(tool.out, HasSubstr("Refused by a rule\n"));
    EXPECT_THAT(tool.out, HasSubstr("all other addresses"));
}

TEST_F(ExplainCommand, LongTablesAreCutAndSaySo)
{
    Json rows = Json::array();
    for (int number = 0; number < 62; ++number)
        rows.push_back(decided(fmt::format("shop/w{}", number), "allow"));
    answer(rows);
    ASSERT_EQ(tool.run({"policy", "explain", "shop/db-0"}), Exit::ok) << tool.err;
    EXPECT_THAT(tool.out, HasSubstr("shop/w24 "));
    EXPECT_THAT(tool.out, Not(HasSubstr("shop/w25 ")));
    EXPECT_THAT(tool.out, HasSubstr("and 37 more: see -o json"));
    EXPECT_EQ(tool.json({"policy", "explain", "shop/db-0"})["ingress"]["decided"].size(), 62u);
}

TEST_F(ExplainCommand, OneDirectionAlone)
{
    answer(Json::array());
    const Json egress = tool.json({"policy", "explain", "shop/db-0", "--direction", "egress"});
    EXPECT_FALSE(egress.contains("ingress"));
    EXPECT_TRUE(egress.contains("egress"));
    EXPECT_EQ(tool.run({"policy", "explain", "shop/db-0", "--direction", "up"}), Exit::usage);
}

} // namespace
} // namespace ebpfd::ctl
