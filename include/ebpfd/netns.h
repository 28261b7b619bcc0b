/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/types.h"

/* What a test run of find_netns is asked, and answers. */
struct netns_query {
	__u32 ifindex; /* in the caller's network namespace */
	__u32 pad;
	__u64 own;   /* cookie of the caller's namespace */
	__u64 other; /* of the one at the interface's other end; 0: the same, or not to be found */
};
EBPFD_ASSERT_SIZE(struct netns_query, 24);
