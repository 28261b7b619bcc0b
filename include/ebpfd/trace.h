/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * Words of __sk_buff.cb through which a test run of trace_packet is asked and answers.
 * trace_packet is never attached: no packet of the network can speak to it.
 */
enum {
	TRACE_IN_IFINDEX = 0,
	TRACE_IN_DIRECTION = 1,
	TRACE_OUT_VERDICT = 0, /* reason in the second byte */
	TRACE_OUT_ENFORCED_RULE = 1,
	TRACE_OUT_RULE = 2,
	TRACE_OUT_RULESET = 3,
	TRACE_OUT_IDENTITY = 4,
};
