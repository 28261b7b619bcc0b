// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "inventory/field.h"
#include "model/objects.h"

// One function a kind. What it complains of is noted in the field's list; the object is then
// not to be used.
namespace ebpfd {

Pod decode_pod(const Field& root);
Namespace decode_namespace(const Field& root);
Service decode_service(const Field& root);
EndpointSlice decode_endpoint_slice(const Field& root);
Node decode_node(const Field& root);

// metadata.namespace, "default" if that is missing.
std::string namespace_of(const Field& root);
// Adds the address that stands there unless it is in the list already.
void add_address(std::vector<IpAddress>& addresses, const Field& field);

} // namespace ebpfd
