// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "inventory/claims.h"
#include "inventory/interface_table.h"
#include "model/world.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

// Which interface belongs to which pod: pure functions of plain data.
namespace ebpfd {

// Whether one of the globs is the interface's name.
bool matches_any(const std::string& name, const std::vector<std::string>& globs);
// On this node, or on no named one; neither on the host network nor finished.
bool may_run_here(const Pod& pod, const std::string& node_name);

// The interfaces of pods that may run here (on node_name, or on no named node; neither on the
// host network nor finished), by ifindex. A pod's is the one its annotation names; else where it
// stays; else one whose far end has an address of the pod; else one that a host route to such an
// address leaves by. An interface belongs to one pod and a pod has one interface at most; where
// pods claim the same interface or address, the newest has it. Interfaces that match a glob and
// belong to no pod come without one.
// Adds what a person should know to warnings, unless that is nullptr.
// index: of the table.
std::vector<LocalInterface> locate_pods(const std::vector<std::shared_ptr<const Pod>>& pods,
                                        const Staying& staying, const InterfaceTable& table,
                                        const AddressIndex& index, const std::string& node_name,
                                        const std::vector<std::string>& pod_interface_globs,
                                        std::vector<std::string>* warnings);

// All that this node is reached by: the addresses of this namespace, loopback blocks aside,
// and those of the Node object of that name.
std::set<IpAddress> node_addresses(const InterfaceTable& table,
                                   const std::vector<std::shared_ptr<const Node>>& nodes,
                                   const std::string& node_name);

} // namespace ebpfd
