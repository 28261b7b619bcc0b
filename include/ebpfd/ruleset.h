/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/types.h"

#define RULES_MAX 512 /* rules of one rule set: one bit each */
#define BITMAP_WORDS (RULES_MAX / 64)

/* Bit n stands for rule n; rules are in order of precedence, so the lowest bit decides. */
struct bitmap {
	__u64 word[BITMAP_WORDS];
};

enum rule_action {
	ACTION_ALLOW = 0,
	ACTION_DENY = 1,
	ACTION_PASS = 2, /* on to the next tier */
};

enum tier {
	TIER_ADMIN = 0,
	TIER_NETWORK_POLICY = 1,
	TIER_BASELINE = 2,
	TIER_COUNT = 3,
};

enum {
	RULESET_HAS_CIDRS = 1 << 0,
	RULESET_HAS_PORTS = 1 << 1,
	RULESET_HAS_PEERS = 1 << 2,
	RULESET_WATCHES = 1 << 3,  /* some rules belong to dry-run policies */
	RULESET_ENFORCES = 1 << 4, /* some do not */
};

struct ruleset_rule {
	__u32 rule; /* key of rule_map */
	__u8 action;
	__u8 tier;
	__u16 pad;
};

/* The ordered rules of one direction; key: the rule set's number (__u32). Never changed. */
struct ruleset {
	struct bitmap any_peer; /* rules for every peer, outside addresses included */
	struct bitmap any_pod;  /* rules for every pod, whatever its identity */
	struct bitmap any_port; /* rules for every port and every protocol */
	struct bitmap watching; /* rules of dry-run policies, which only say what they would do */
	__u32 count;
	__u32 flags;
	__u16 tier_end[TIER_COUNT]; /* first rule behind the tier */
	__u16 pad;
	struct ruleset_rule rule[RULES_MAX];
};
EBPFD_ASSERT_SIZE(struct ruleset, 4 * 64 + 16 + 8 * RULES_MAX);

/*
 * Which rules have this identity among their peers. Value: struct bitmap. A service port has one
 * row for the rules in force and one, under IDENTITY_REHEARSED, for all rules.
 */
struct peer_key {
	__u32 ruleset;
	__u32 identity;
};

/*
 * Which rules have a CIDR block around this prefix, wider blocks included. Longest prefix
 * match: the rule set stands first, so that its entries form a trie of their own.
 * Value: struct bitmap.
 */
struct cidr_key {
	__u32 prefixlen; /* in bits, from ruleset on: CIDR_KEY_BASE + 0..128 */
	__u32 ruleset;
	__u8 address[16];
};
#define CIDR_KEY_BASE 32
EBPFD_ASSERT_SIZE(struct cidr_key, 24);

/*
 * Which rules have this destination port, wider ranges included. Ranges are split into
 * prefixes of the port in network byte order. Value: struct bitmap.
 */
struct port_key {
	__u32 prefixlen; /* PORT_KEY_BASE + 0..16 */
	__u32 ruleset;
	__u8 pad;
	__u8 protocol;
	__be16 port;
};
#define PORT_KEY_BASE 48
EBPFD_ASSERT_SIZE(struct port_key, 12);

enum rule_kind {
	RULE_NETWORK_POLICY = 0,
	RULE_ISOLATION = 1,      /* the deny behind the NetworkPolicies that select the pod */
	RULE_SELF = 2,           /* allows services that lead back to the pod itself; no policy */
	RULE_CLUSTER_POLICY = 3, /* of a cluster-wide policy, in its tier; see policy_namespace */
};

/* Where a rule comes from, for readers without the agent; key: the rule's number. */
struct rule_info {
	__u32 line;  /* in file, from 1 */
	__u16 index; /* of the rule in its policy's list, from 0 */
	__u8 kind;
	__u8 direction;
	__u8 action;
	__u8 dry_run; /* 1: of a dry-run policy */
	__u8 pad[6];
	char policy_namespace[64]; /* of a cluster-wide policy: its kind */
	char policy[256]; /* for RULE_ISOLATION: the policies, comma-separated, cut if too long */
	char file[256];
};
EBPFD_ASSERT_SIZE(struct rule_info, 592);
