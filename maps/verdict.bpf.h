/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "bpf.bpf.h"
#include "ebpfd/state.h"
#include "ebpfd/verdict.h"

/* Written by the agent through its mapping; generation is read once for each packet. */
volatile struct datapath_state state SEC(".data.state");
