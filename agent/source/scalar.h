// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"

#include <expected>
#include <string>
#include <string_view>

// What a YAML scalar means, as Kubernetes' tools read it: YAML 1.1's words for booleans
// and null, Go's integers.
namespace ebpfd {

// tag: "?" for a plain scalar, "!" for a quoted one, else the tag as
// written out. An error says why tag and text do not fit. Place is left to the caller.
std::expected<Value, std::string> resolve_scalar(std::string_view tag, std::string_view text);

// A number that JSON would print without a fraction becomes an integer.
Value value_of_number(double number, std::string_view text);

} // namespace ebpfd
