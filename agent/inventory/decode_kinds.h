// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "inventory/object_field.h"
#include "model/objects.h"

// One function a kind. What it complains of is noted in the field's list; the object is then
// not to be used.
namespace ebpfd {

Pod decode_pod(const ObjectField& root);
Namespace decode_namespace(const ObjectField& root);
Service decode_service(const ObjectField& root);
EndpointSlice decode_endpoint_slice(const ObjectField& root);
Node decode_node(const ObjectField& root);

// metadata.namespace, "default" if that is missing.
std::string namespace_of(const ObjectField& root);
// Adds the address that stands there unless it is in the list already.
void add_address(std::vector<IpAddress>& addresses, const ObjectField& field);

} // namespace ebpfd
