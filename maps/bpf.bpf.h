/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* The kernel's own headers before libbpf's, once for all programs. */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/*
 * The value, with a mask that the compiler cannot drop, though it knows that it changes nothing:
 * the verifiers of older kernels (6.1) do not see the bound otherwise.
 */
#define MASKED(value, mask)                                                                        \
	({                                                                                         \
		__u64 masked_ = (value);                                                           \
		asm volatile("%0 &= %1" : "+r"(masked_) : "i"(mask));                              \
		masked_;                                                                           \
	})
