/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/types.h"

/* Raised with every change of a shared struct or of a map's meaning. */
#define DATAPATH_LAYOUT 2

/* One memory-mapped value; written by the agent alone, read by every packet. */
struct datapath_state {
	__u32 generation;    /* the store that switches the node's policy */
	__u32 audit;         /* 1: judge and report, drop nothing */
	__u32 layout;        /* DATAPATH_LAYOUT of the agent that made the maps */
	__u32 next_ruleset;  /* numbers not handed out yet, so that a restarted agent */
	__u32 next_identity; /* never gives an old number a new meaning */
	__u32 pad;
};
EBPFD_ASSERT_SIZE(struct datapath_state, 24);
