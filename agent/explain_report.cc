// SPDX-License-Identifier: Apache-2.0
#include "explain_report.h"

#include "analysis/explain.h"
#include "model/names.h"
#include "policy_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ebpfd {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const PolicyRule& rule, direction dir, size_t index)
{
    return {{"rule", rule_text(RULE_NETWORK_POLICY, dir, static_cast<uint32_t>(index))},
            {"action", action_name(rule.action)},
            {"peers", peer_texts(rule)},
            {"ports", port_texts(rule)},
            {"file", rule.origin.file},
            {"line", rule.origin.line}};
}

Json to_json(const AppliedPolicy& applied, direction dir)
{
    const Origin& origin = applied.policy ? applied.policy->origin : applied.cluster->origin;
    Json rules = Json::array();
    for (size_t index = 0; index < applied.rules->size(); ++index)
        rules.push_back(to_json((*applied.rules)[index], dir, index));
    return {{"policy", applied.policy ? applied.policy->key() : applied.cluster->key()},
            {"mode", mode_name(applied.dry_run)},
            {"priority", applied.cluster ? Json(applied.cluster->priority) : Json()},
            {"selector", applied.policy ? selector_text(applied.policy->pod_selector)
                                        : subject_text(*applied.cluster)},
            {"file", origin.file},
            {"line", origin.line},
            {"rules", std::move(rules)}};
}

std::string isolating(const AppliedTier& tier)
{
    std::string out;
    for (const AppliedPolicy& applied : tier.policies)
        if (!applied.dry_run)
            out += (out.empty() ? "" : ", ") + applied.policy->key();
    return out;
}

// What becomes of packets that no rule of the tier decides.
std::string closing_text(const AppliedTier& tier)
{
    if (tier.closing == Closing::refused)
        return fmt::format("isolated by {}: everything else is refused", isolating(tier));
    if (tier.closing == Closing::allowed)
        return "everything else is allowed";
    if (tier.in_tier == TIER_NETWORK_POLICY)
        return "nothing isolates the pod: all goes on to Baseline";
    return tier.policies.empty() ? "no rule: all goes on to NetworkPolicies"
                                 : "everything else goes on to NetworkPolicies";
}

std::string ports_text(const DecidedPorts& ports)
{
    if (!ports.protocol)
        return "ICMP and other protocols";
    const std::string protocol = protocol_name(static_cast<uint32_t>(*ports.protocol));
    const auto& [first, last] = ports.range;
    if (first == 0 && last == 65535)
        return protocol;
    return first == last ? fmt::format("{}/{}", first, protocol)
                         : fmt::format("{}-{}/{}", first, last, protocol);
}

Json ports_of(const Reached& decided)
{
    Json out = Json::array();
    if (decided.every_port)
        out.push_back("every port");
    for (const DecidedPorts& ports : decided.ports)
        out.push_back(ports_text(ports));
    return out;
}

Json blocks_of(const Reached& decided)
{
    Json out = Json::array();
    for (const Cidr& block : decided.blocks)
        out.push_back(block.text());
    return out;
}

Json to_json(const Reached& decided)
{
    Json out = {{"verdict", verdict_name(decided.allows ? VERDICT_ALLOW : VERDICT_DENY)},
                {"workload", decided.workload ? decided.workload->text() : ""},
                {"kind", decided.workload ? decided.workload->kind : ""},
                {"pods", decided.pods},
                {"blocks", blocks_of(decided)},
                {"elsewhere", decided.elsewhere},
                {"ports", ports_of(decided)}};
    const PlanRule rule = decided.rule.value_or(PlanRule{});
    out["policy"] = decided.rule ? policy_text(rule.kind, rule.policy_namespace, rule.policy) : "";
    out["rule"] = decided.rule ? rule_text(rule.kind, rule.dir, rule.index) : "";
    out["file"] = rule.origin.file;
    out["line"] = rule.origin.line;
    return out;
}

Json to_json(const ExplainedDirection& explained)
{
    Json tiers = Json::array(), decided = Json::array();
    for (const AppliedTier& tier : explained.tiers) {
        Json policies = Json::array();
        for (const AppliedPolicy& applied : tier.policies)
            policies.push_back(to_json(applied, explained.dir));
        tiers.push_back({{"tier", tier_name(tier.in_tier)},
                         {"policies", std::move(policies)},
                         {"closing", closing_text(tier)}});
    }
    for (const Reached& one : explained.decided)
        decided.push_back(to_json(one));
    return {{"tiers", std::move(tiers)}, {"decided", std::move(decided)}};
}

Json to_json(const Explained& explained)
{
    const Pod& pod = *explained.pod;
    Json addresses = Json::array();
    for (const IpAddress& address : pod.addresses)
        addresses.push_back(address.text());
    Json out = {{"namespace", pod.pod_namespace},
                {"pod", pod.name},
                {"addresses", std::move(addresses)},
                {"labels", Json(pod.labels)},
                {"workload", workload_of(pod).text()},
                {"node", pod.node},
                {"local", explained.local},
                {"exempt", explained.exempt}};
    for (const ExplainedDirection& one : explained.directions)
        out[direction_name(one.dir)] = to_json(one);
    return out;
}

} // namespace

Result<std::optional<std::string>> explain_json(const World& world, const std::string& pod)
{
    const auto explained = explain(world, pod);
    if (!explained)
        return fail("explain " + pod, explained.error());
    if (!*explained)
        return std::nullopt;
    return to_json(**explained).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace ebpfd
