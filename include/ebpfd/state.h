/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/flow.h"
#include "ebpfd/types.h"

/* Raised with every change of a shared struct or of a map's meaning. */
#define DATAPATH_LAYOUT 6

#define WATCH_ADDRESSES 4

/*
 * What of the flows' records somebody wants; nothing else is made. Refusals are always told.
 * Written while packets read it: one that sees a half-written wish costs or saves one record.
 */
struct watch {
	__u8 changes; /* 1: what opens, changes and ends, whatever the rest says */
	__u8 signs;   /* 1: signs of life too, which the rest is about */
	__u8 pod;     /* 1: only flows of this pod, as either side: */
	__u8 pad;
	__be16 port;                       /* only with this one on either side; 0: any */
	__u16 verdicts;                    /* bit by enum verdict */
	__u32 types;                       /* bit by enum event_type */
	__u32 ifindex;                     /* of the pod, if it is local; else 0 */
	__u8 address[WATCH_ADDRESSES][16]; /* of the pod, IPv4 mapped; all zero where unused */
};
EBPFD_ASSERT_SIZE(struct watch, 80);

/* One memory-mapped value; written by the agent alone, read by every packet. */
struct datapath_state {
	__u32 generation;    /* the store that switches the node's policy */
	__u32 audit;         /* 1: judge and report, drop nothing */
	__u32 layout;        /* DATAPATH_LAYOUT of the agent that made the maps */
	__u32 next_ruleset;  /* numbers not handed out yet, so that a restarted agent */
	__u32 next_identity; /* never gives an old number a new meaning */
	__u32 settled;       /* generation that no packet is judged before any more; 0: unknown */
	struct watch watch;
	struct flow_hashing hashing; /* as the programs have it, for those that are loaded later */
};
EBPFD_ASSERT_SIZE(struct datapath_state, 160);
