// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"
#include "policy/dialect.h"
#include "policy/fields.h"

#include <vector>

namespace ebpfd {

// The rules of one direction. policy: gets notes of what is not enforced.
std::vector<PolicyRule> decode_cluster_rules(const Field& list, direction dir,
                                             const Dialect& dialect, ClusterPolicy& policy,
                                             FieldErrors& errors);
// namespaceSelector and podSelector, of a peer or a subject.
PolicyPeer decode_namespaced_pods(const Field& field, const Dialect& dialect, FieldErrors& errors);
// An item of "protocols", or of "ports", which one entry may stand for several of.
std::vector<PolicyPort> decode_cluster_port(const Field& field, const Dialect& dialect,
                                            FieldErrors& errors);
// The items; an error unless there are 1 to most of them.
std::vector<Field> bounded_items(const Field& list, size_t most, FieldErrors& errors);
// The one member that the object has; an error if it has several, or, if one is needed, none.
std::optional<Field> only_member(const Field& object, bool needed, FieldErrors& errors);

} // namespace ebpfd
