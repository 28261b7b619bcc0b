// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "policy/fields.h"

#include <optional>
#include <string>

namespace ebpfd {

// The document's metadata; an error if it has none. What else stands there is not checked.
std::optional<Field> find_metadata(const Field& root, FieldErrors& errors);
// Whether annotation ebpfd.io/mode makes the policy a dry run; an error if it says neither that
// nor "enforce".
bool decode_mode(const Field& metadata, FieldErrors& errors);
// metadata.name; an error if it is missing or no name of an object.
std::string decode_object_name(const Field& metadata, FieldErrors& errors);

} // namespace ebpfd
