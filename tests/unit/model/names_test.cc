// SPDX-License-Identifier: Apache-2.0
#include "ebpfd/flow.h"
#include "model/names.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace ebpfd {
namespace {

TEST(Names, EveryReasonInUseHasItsWord)
{
    EXPECT_EQ(reason_name(REASON_NO_POLICY), "no-policy");
    EXPECT_EQ(reason_name(REASON_ICMP_ERROR), "icmp-error");
    EXPECT_EQ(reason_name(REASON_DENIED), "denied");
    EXPECT_EQ(reason_name(REASON_SOURCE_ROUTED), "source-routed");
}

TEST(Names, GapsAndStrangersAreUnknown)
{
    EXPECT_EQ(reason_name(REASON_ICMP_ERROR + 1), "unknown");
    EXPECT_EQ(reason_name(REASON_COUNT), "unknown");
    EXPECT_EQ(verdict_name(77), "unknown");
    EXPECT_EQ(direction_name(DIRECTION_COUNT), "unknown");
    EXPECT_EQ(event_type_name(0), "unknown");
    EXPECT_EQ(flow_state_name(9), "unknown");
}

TEST(Names, WordsFollowTheNumbers)
{
    EXPECT_EQ(verdict_name(VERDICT_WOULD_DENY), "would-deny");
    EXPECT_EQ(direction_name(DIRECTION_EGRESS), "egress");
    EXPECT_EQ(event_type_name(EVENT_DROP), "drop");
    EXPECT_EQ(event_type_name(EVENT_KERNEL_DROP), "kernel_drop");
    EXPECT_EQ(event_type_name(EVENT_TYPE_COUNT), "unknown");
    EXPECT_EQ(flow_state_name(FLOW_ESTABLISHED), "established");
}

TEST(Names, TcpSpeaksAsItsUsersDo)
{
    EXPECT_EQ(tcp_state_name(0), "");
    EXPECT_EQ(tcp_state_name(1), "established");
    EXPECT_EQ(tcp_state_name(7), "close");
    EXPECT_EQ(tcp_state_name(99), "unknown");
    EXPECT_EQ(tcp_flag_names(0x12), (std::vector<std::string_view>{"SYN", "ACK"}));
    EXPECT_TRUE(tcp_flag_names(0).empty());
}

TEST(Names, WhoClosedAFlowDependsOnWhoOpenedIt)
{
    EXPECT_EQ(closer_name(CLOSER_NONE, DIRECTION_EGRESS), "");
    EXPECT_EQ(closer_name(CLOSER_POD, DIRECTION_EGRESS), "source");
    EXPECT_EQ(closer_name(CLOSER_POD, DIRECTION_INGRESS), "destination");
    EXPECT_EQ(closer_name(CLOSER_PEER, DIRECTION_EGRESS), "destination");
    EXPECT_EQ(closer_name(CLOSER_PEER, DIRECTION_INGRESS), "source");
    EXPECT_EQ(closer_name(CLOSER_POLICY, DIRECTION_EGRESS), "policy");
    EXPECT_EQ(closer_name(CLOSER_TIMEOUT, DIRECTION_EGRESS), "timeout");
}

TEST(Names, ProtocolsWithoutANameAreNumbers)
{
    EXPECT_EQ(protocol_name(IPPROTO_SCTP), "SCTP");
    EXPECT_EQ(protocol_name(IPPROTO_ICMPV6), "ICMPv6");
    EXPECT_EQ(protocol_name(47), "47");
}

TEST(Names, AnIsolationNamesAllItsPolicies)
{
    EXPECT_EQ(policy_text(RULE_NETWORK_POLICY, "shop", "db"), "shop/db");
    EXPECT_EQ(policy_text(RULE_ISOLATION, "shop", "a,b"), "shop/a,shop/b");
    EXPECT_EQ(policy_text(RULE_CLUSTER_POLICY, "ClusterNetworkPolicy", "guard"),
              "ClusterNetworkPolicy/guard");
    EXPECT_EQ(policy_text(RULE_SELF, "", ""), "");
}

TEST(Names, RulesAreNamedByTheirPlace)
{
    EXPECT_EQ(rule_text(RULE_NETWORK_POLICY, DIRECTION_EGRESS, 2), "egress[2]");
    EXPECT_EQ(rule_text(RULE_ISOLATION, DIRECTION_EGRESS, 0), "isolation");
    EXPECT_EQ(rule_text(RULE_SELF, DIRECTION_EGRESS, 0), "self");
}

} // namespace
} // namespace ebpfd
