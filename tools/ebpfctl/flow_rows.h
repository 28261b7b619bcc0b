// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/filter.h"

#include <functional>

namespace ebpfd::ctl {

// Adds to the row what a command shows of a flow beyond flow_row().
using ExtendRow = std::function<Result<void>(Json& row, const flow_key& key, const flow& entry)>;

// The flows that pass the filters, the oldest first; with pending, those too whose peer has not
// answered.
Result<Json> flow_rows(const Context& context, const PinnedMaps& maps, const Filters& filters,
                       bool pending, const ExtendRow& extend = {});

} // namespace ebpfd::ctl
