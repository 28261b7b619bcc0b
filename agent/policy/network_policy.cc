// SPDX-License-Identifier: Apache-2.0
#include "policy/network_policy.h"

#include "policy/cluster_policy.h"
#include "policy/decode_metadata.h"
#include "policy/decode_rule.h"
#include "policy/decode_selector.h"
#include "policy/fields.h"
#include "policy/name_syntax.h"

#include <set>
#include <tuple>

namespace ebpfd {

namespace {

struct Directions {
    bool ingress = false;
    bool egress = false;
};

void decode_namespace(const Field& metadata, NetworkPolicy& result, FieldErrors& errors)
{
    const auto field = member(metadata, "namespace");
    const auto name = field ? text_of(*field, errors) : std::nullopt;
    if (!name || name->empty())
        return;
    result.policy_namespace = *name;
    if (const auto wrong = wrong_dns_label(*name); !wrong.empty())
        errors.add(*field, "\"" + *name + "\" " + std::string(wrong));
}

void decode_metadata(const Field& root, NetworkPolicy& result, FieldErrors& errors)
{
    if (const auto metadata = find_metadata(root, errors)) {
        result.name = decode_object_name(*metadata, errors);
        decode_namespace(*metadata, result, errors);
        result.dry_run = decode_mode(*metadata, errors);
    }
}

void add_type(const Field& field, Directions& result, FieldErrors& errors)
{
    const auto type = text_of(field, errors);
    if (type == "Ingress")
        result.ingress = true;
    else if (type == "Egress")
        result.egress = true;
    else if (type)
        errors.add(field, "must be Ingress or Egress, is \"" + *type + "\"");
}

// Without types, a policy isolates for ingress, and for egress if it has a rule for it.
Directions decode_types(const Field& spec, bool has_egress_rules, FieldErrors& errors)
{
    const auto field = member(spec, "policyTypes");
    if (!field)
        return {.ingress = true, .egress = has_egress_rules};
    const auto types = items(*field, errors);
    if (types.empty())
        return {.ingress = true, .egress = has_egress_rules};
    if (types.size() > 2)
        errors.add(*field, "must have at most two types");
    Directions result;
    for (const Field& type : types)
        add_type(type, result, errors);
    return result;
}

std::vector<PolicyRule> decode_section(const Field& spec, std::string_view section,
                                       std::string_view peers, const std::string& file,
                                       FieldErrors& errors)
{
    const auto list = member(spec, section);
    return list ? decode_rules(*list, peers, file, errors) : std::vector<PolicyRule>{};
}

void decode_spec(const Field& spec, NetworkPolicy& result, FieldErrors& errors)
{
    if (!check_object(spec, {"egress", "ingress", "podSelector", "policyTypes"}, errors))
        return;
    if (const auto selector = member(spec, "podSelector"))
        result.pod_selector = decode_selector(*selector, errors);
    auto ingress = decode_section(spec, "ingress", "from", result.origin.file, errors);
    auto egress = decode_section(spec, "egress", "to", result.origin.file, errors);
    const Directions types = decode_types(spec, !egress.empty(), errors);
    if (types.ingress)
        result.ingress = std::move(ingress);
    if (types.egress)
        result.egress = std::move(egress);
}

} // namespace

bool is_policy_kind(std::string_view api_version, std::string_view kind)
{
    return api_version == "networking.k8s.io/v1" && kind == "NetworkPolicy";
}

bool is_foreign_policy_kind(std::string_view api_version, std::string_view kind)
{
    return !is_policy_kind(api_version, kind) && kind.ends_with("NetworkPolicy") &&
           api_version.contains('/');
}

std::optional<FileError> misnamed_policy(const Document& document)
{
    static const std::set<std::string_view> others{"Ingress", "IngressClass", "IPAddress",
                                                   "ServiceCIDR"};
    const auto& [version, kind] = std::tie(document.api_version, document.kind);
    const bool plain = version.starts_with("networking.k8s.io/");
    const bool cluster_wide = version.starts_with("policy.networking.k8s.io/");
    if (is_policy_kind(version, kind) || is_cluster_policy_kind(version, kind) ||
        !(cluster_wide || (plain && !others.contains(kind))))
        return std::nullopt;
    return FileError{{document.file, document.root.line, document.root.column},
                     "there is no " + kind + " of " + version + " that ebpfd knows: a slip here " +
                         "would take a policy out of force"};
}

std::expected<NetworkPolicy, std::vector<FileError>> decode_network_policy(const Document& document)
{
    NetworkPolicy result;
    FieldErrors errors(document.file);
    const Field root{&document.root, ""};
    result.origin = {document.file, document.root.line, document.root.column};
    if (!is_policy_kind(document.api_version, document.kind))
        errors.add(root, "must be a NetworkPolicy of networking.k8s.io/v1");
    else if (check_object(root, {"apiVersion", "kind", "metadata", "spec", "status"}, errors)) {
        decode_metadata(root, result, errors);
        const auto spec = member(root, "spec");
        if (spec)
            decode_spec(*spec, result, errors);
        else
            result.ingress.emplace();
    }
    if (!errors.empty())
        return std::unexpected(errors.take());
    return result;
}

} // namespace ebpfd
