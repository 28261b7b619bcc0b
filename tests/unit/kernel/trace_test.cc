// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "plans.h"

#include <cerrno>

using namespace ebpfd;

namespace {

TraceQuestion question(const std::string& from, uint16_t port)
{
    return {.ifindex = WEB_INTERFACE,
            .dir = DIRECTION_INGRESS,
            .source = *IpAddress::parse(from),
            .destination = *IpAddress::parse("10.1.0.10"),
            .protocol = 6,
            .port = port};
}

} // namespace

TEST(Trace, TheLoadedProgramAnswersAndLeavesNoTrace)
{
    Bpffs bpffs;
    const auto datapath = open_datapath(bpffs);
    ASSERT_TRUE(datapath->apply(web_plan()));
    const auto maps = read_maps(bpffs);
    const auto allowed = value_of(maps->trace(question("10.1.0.20", 80)));
    EXPECT_EQ(allowed.outcome, VERDICT_ALLOW);
    EXPECT_EQ(allowed.why, REASON_RULE);
    EXPECT_EQ(value_of(maps->rules()).at(allowed.rule).index, 0u);
    EXPECT_EQ(allowed.ruleset, value_of(maps->rulesets())[0].first);
    EXPECT_EQ(allowed.identity, value_of(maps->peers())[0].first.identity);
    const auto refused = value_of(maps->trace(question("10.1.0.20", 81)));
    EXPECT_EQ(refused.outcome, VERDICT_DENY);
    EXPECT_EQ(refused.why, REASON_DENIED);
    EXPECT_EQ(value_of(maps->rules()).at(refused.rule).index, 1u);
    EXPECT_EQ(value_of(maps->trace(question("192.0.2.9", 80))).outcome, VERDICT_ALLOW);
    EXPECT_TRUE(value_of(maps->flows(true)).empty());
    for (const auto& type : value_of(maps->losses()).type)
        EXPECT_EQ(type.produced, 0u);
    for (const auto& row : value_of(maps->counters(0)).row)
        EXPECT_EQ(row.packets, 0u);
}

TEST(Trace, AnInterfaceWithoutEndpointIsSaid)
{
    Bpffs bpffs;
    ASSERT_TRUE(open_datapath(bpffs));
    const auto refused = read_maps(bpffs)->trace(question("10.1.0.20", 80));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ENOENT);
}
