// SPDX-License-Identifier: Apache-2.0
#include "policy/cluster_policy.h"

#include "policy/decode_cluster_rule.h"
#include "policy/decode_metadata.h"
#include "policy/decode_selector.h"
#include "policy/dialect.h"

#include <algorithm>
#include <array>

namespace ebpfd {

namespace {

constexpr std::string_view GROUP_V1ALPHA1 = "policy.networking.k8s.io/v1alpha1";

constexpr std::array DIALECTS{
    Dialect{.api_version = "policy.networking.k8s.io/v1alpha2",
            .kind = "ClusterNetworkPolicy",
            .accept = "Accept",
            .ports = "protocols",
            .in_tier = {}},
    Dialect{.api_version = "policy.networking.k8s.io/v1beta1",
            .kind = "ClusterNetworkPolicy",
            .accept = "Accept",
            .masked_cidrs = true,
            .ports = "protocols",
            .in_tier = {}},
    Dialect{.api_version = GROUP_V1ALPHA1,
            .kind = "AdminNetworkPolicy",
            .accept = "Allow",
            .both_selectors = true,
            .most = 100,
            .ports = "ports",
            .in_tier = TIER_ADMIN},
    Dialect{.api_version = GROUP_V1ALPHA1,
            .kind = "BaselineAdminNetworkPolicy",
            .accept = "Allow",
            .has_pass = false,
            .both_selectors = true,
            .most = 100,
            .ports = "ports",
            .in_tier = TIER_BASELINE,
            .only_name = "default"},
};

constexpr int64_t LAST_PRIORITY = 1000;

void decode_tier(const Field& spec, ClusterPolicy& result, FieldErrors& errors)
{
    const auto field = member(spec, "tier");
    if (!field) {
        errors.add(spec, "tier is required: Admin or Baseline");
        return;
    }
    const auto name = text_of(*field, errors);
    if (name == "Baseline")
        result.in_tier = TIER_BASELINE;
    else if (name && *name != "Admin")
        errors.add(*field, "must be Admin or Baseline, is \"" + *name + "\"");
}

void decode_priority(const Field& spec, ClusterPolicy& result, FieldErrors& errors)
{
    const auto field = member(spec, "priority");
    if (!field) {
        errors.add(spec, "priority is required: 0 to 1000, lower comes first");
        return;
    }
    const Value& value = *field->value;
    if (value.kind != Value::Kind::integer || value.integer < 0 || value.integer > LAST_PRIORITY)
        errors.add(*field, "must be an integer from 0 to 1000");
    else
        result.priority = static_cast<uint32_t>(value.integer);
}

void decode_subject(const Field& spec, const Dialect& dialect, ClusterPolicy& result,
                    FieldErrors& errors)
{
    const auto subject = member(spec, "subject");
    if (!subject) {
        errors.add(spec, "subject is required");
        return;
    }
    if (!check_object(*subject, {"namespaces", "pods"}, errors))
        return;
    const auto namespaces = member(*subject, "namespaces");
    const auto pods = member(*subject, "pods");
    if (namespaces.has_value() == pods.has_value()) {
        errors.add(*subject, "needs either namespaces or pods");
        return;
    }
    if (namespaces) {
        result.namespaces = decode_selector(*namespaces, errors);
        return;
    }
    const PolicyPeer peer = decode_namespaced_pods(*pods, dialect, errors);
    result.namespaces = peer.namespaces.value_or(Selector{});
    result.pods = peer.pods.value_or(Selector{});
}

void decode_spec(const Field& spec, const Dialect& dialect, ClusterPolicy& result,
                 FieldErrors& errors)
{
    const bool singular = !dialect.only_name.empty();
    const bool fits =
        singular ? check_object(spec, {"subject", "ingress", "egress"}, errors)
        : dialect.in_tier
            ? check_object(spec, {"priority", "subject", "ingress", "egress"}, errors)
            : check_object(spec, {"tier", "priority", "subject", "ingress", "egress"}, errors);
    if (!fits)
        return;
    if (dialect.in_tier)
        result.in_tier = *dialect.in_tier;
    else
        decode_tier(spec, result, errors);
    if (singular)
        result.priority = LAST_PRIORITY + 1; // behind those that have one
    else
        decode_priority(spec, result, errors);
    decode_subject(spec, dialect, result, errors);
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
        const auto list = member(spec, dir == DIRECTION_INGRESS ? "ingress" : "egress");
        if (list)
            (dir == DIRECTION_INGRESS ? result.ingress : result.egress) =
                decode_cluster_rules(*list, dir, dialect, result, errors);
    }
}

void decode_root(const Field& root, const Dialect& dialect, ClusterPolicy& result,
                 FieldErrors& errors)
{
    if (!check_object(root, {"apiVersion", "kind", "metadata", "spec", "status"}, errors))
        return;
    if (const auto metadata = find_metadata(root, errors)) {
        result.name = decode_object_name(*metadata, errors);
        result.dry_run = decode_mode(*metadata, errors);
    }
    if (!dialect.only_name.empty() && !result.name.empty() && result.name != dialect.only_name)
        errors.add(root, "there is only one, called \"" + std::string(dialect.only_name) +
                             "\"; this one is called \"" + result.name + "\"");
    if (const auto spec = member(root, "spec"))
        decode_spec(*spec, dialect, result, errors);
    else
        errors.add(root, "spec is required");
}

} // namespace

const Dialect* find_dialect(std::string_view api_version, std::string_view kind)
{
    const auto found = std::ranges::find_if(DIALECTS, [&](const Dialect& dialect) {
        return dialect.api_version == api_version && dialect.kind == kind;
    });
    return found == DIALECTS.end() ? nullptr : &*found;
}

bool is_cluster_policy_kind(std::string_view api_version, std::string_view kind)
{
    return find_dialect(api_version, kind) != nullptr;
}

std::expected<ClusterPolicy, std::vector<FileError>> decode_cluster_policy(const Document& document)
{
    ClusterPolicy result;
    FieldErrors errors(document.file);
    const Field root{&document.root, ""};
    result.kind = document.kind;
    result.origin = {document.file, document.root.line, document.root.column};
    if (const auto* dialect = find_dialect(document.api_version, document.kind))
        decode_root(root, *dialect, result, errors);
    else
        errors.add(root, "must be a cluster-wide policy of policy.networking.k8s.io");
    if (!errors.empty())
        return std::unexpected(errors.take());
    return result;
}

} // namespace ebpfd
