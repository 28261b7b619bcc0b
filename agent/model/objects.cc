// SPDX-License-Identifier: Apache-2.0
#include "model/objects.h"

#include <algorithm>

namespace ebpfd {

namespace {

bool holds(const Requirement& requirement, const Labels& labels)
{
    const auto label = labels.find(requirement.key);
    const bool present = label != labels.end();
    const auto listed = [&] {
        return std::ranges::find(requirement.values, label->second) != requirement.values.end();
    };
    switch (requirement.op) {
    case Requirement::Operator::in:
        return present && listed();
    case Requirement::Operator::not_in:
        return !present || !listed();
    case Requirement::Operator::exists:
        return present;
    case Requirement::Operator::does_not_exist:
        return !present;
    }
    return false;
}

} // namespace

bool is_newer(const Pod& one, const Pod& other)
{
    if (one.terminating != other.terminating)
        return other.terminating;
    return std::tie(one.created, one.uid, one.pod_namespace, one.name) >
           std::tie(other.created, other.uid, other.pod_namespace, other.name);
}

bool Selector::matches(const Labels& labels) const
{
    return std::ranges::all_of(requirements, [&](const auto& one) { return holds(one, labels); });
}

} // namespace ebpfd
