// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"
#include "policy/fields.h"

namespace ebpfd {

// A LabelSelector: matchLabels and matchExpressions, as one sorted list of requirements.
Selector decode_selector(const Field& field, FieldErrors& errors);

} // namespace ebpfd
