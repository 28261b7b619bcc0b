// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"
#include "model/objects.h"

#include <expected>
#include <string_view>
#include <variant>
#include <vector>

namespace ebpfd {

using InventoryObject = std::variant<Pod, Namespace, Service, EndpointSlice, Node>;

// Pod, Namespace, Service, Node of v1, EndpointSlice of discovery.k8s.io/v1.
bool is_inventory_kind(std::string_view api_version, std::string_view kind);

// Decodes leniently: fields nobody here needs are not looked at, and those that are missing
// take their defaults. A field in use whose value has the wrong type, or is no address,
// port or interface name, is an error; all of them are returned.
std::expected<InventoryObject, std::vector<FileError>> decode_inventory(const Document& document);

} // namespace ebpfd
