// SPDX-License-Identifier: Apache-2.0
#include "kernel/datapath.h"
#include "kernel/pinned.h"
