// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/endpoint.h"
#include "ebpfd/identity.h"
#include "ebpfd/ruleset.h"
#include "kernel/applied.h"
#include "model/plan.h"

#include <cstdint>
#include <vector>

// The plan's parts in the shape the maps have them.
namespace ebpfd {

address_key encode_address(const IpAddress& address);
service_key encode_service(const PlanService& service);
bitmap encode_bitmap(const Bitmap& bits);
cidr_key encode_cidr(const Cidr& cidr, uint32_t ruleset_number);
port_key encode_port(const PlanPort& port, uint32_t ruleset_number);
rule_info encode_rule(const PlanRule& rule);
// rules: by their places in Plan::rules. At most RULES_MAX bits.
ruleset encode_ruleset(const PlanRuleset& planned, const NumberedList<PlanRule, rule_info>& rules);
endpoint_name encode_name(const PlanEndpoint& planned, uint32_t index);

} // namespace ebpfd
