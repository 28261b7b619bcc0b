/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* What every shared header needs, for clang -target bpf and for g++ alike. */
#include <linux/types.h>

#ifdef __cplusplus
#define EBPFD_ASSERT_SIZE(type, size) static_assert(sizeof(type) == (size))
#else
#define EBPFD_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#endif
