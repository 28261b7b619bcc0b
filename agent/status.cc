// SPDX-License-Identifier: Apache-2.0
#include "status.h"

#include "base/rfc3339.h"
#include "model/names.h"
#include "policy_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <unordered_map>

namespace ebpfd {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json last_apply(const View& view)
{
    const auto duration =
        std::chrono::duration_cast<std::chrono::microseconds>(view.apply_duration);
    Json stages = Json::object();
    for (const auto& [stage, time] : view.stages.stages())
        stages[stage] = static_cast<double>(time.count()) / 1e3;
    return {{"time", view.applied_ns > 0 ? rfc3339(view.applied_ns) : ""},
            {"duration_us", duration.count()},
            {"error", view.apply_error},
            {"stages_us", std::move(stages)}};
}

Json directories(const View& view)
{
    Json out = Json::array();
    for (const auto& dir : view.directories)
        out.push_back({{"path", dir.path},
                       {"kind", dir.kind},
                       {"files", dir.files},
                       {"error", dir.error},
                       {"tolerated", dir.tolerated}});
    return out;
}

Json file_errors(const View& view)
{
    Json out = Json::array();
    for (const auto& [origin, reason] : view.file_errors)
        out.push_back({{"file", origin.file},
                       {"line", origin.line},
                       {"column", origin.column},
                       {"reason", reason}});
    return out;
}

std::vector<std::string> all_warnings(const View& view,
                                      const std::optional<FlowLog::Counts>& flow_log)
{
    auto out = view.attach_warnings;
    out.insert(out.end(), view.warnings.begin(), view.warnings.end());
    if (!view.copies_error.empty())
        out.push_back(
            fmt::format("should a file break or a folder be away while no agent runs, the "
                        "next one will not know what it said: {}",
                        view.copies_error));
    if (flow_log && !flow_log->error.empty())
        out.push_back(fmt::format("flow log: {}; {} records wait, {} were dropped", flow_log->error,
                                  flow_log->queued, flow_log->dropped));
    return out;
}

Json to_json(const std::optional<FlowLog::Counts>& flow_log)
{
    if (!flow_log)
        return {};
    return {{"taken", flow_log->taken},     {"written", flow_log->written},
            {"dropped", flow_log->dropped}, {"queued", flow_log->queued},
            {"bytes", flow_log->bytes},     {"errors", flow_log->errors},
            {"error", flow_log->error}};
}

Json counts(const View& view)
{
    const World& world = *view.world;
    return {{"policies", world.policy_count()},
            {"pods", world.pods.size()},
            {"namespaces", world.namespaces.size()},
            {"services", world.services.size()},
            {"endpoint_slices", world.slices.size()},
            {"nodes", view.nodes},
            {"endpoints", view.endpoints},
            {"rulesets", view.rulesets},
            {"identities", view.identities}};
}

Json capacities(const std::vector<Usage>& usage)
{
    Json out = Json::array();
    for (const auto& table : usage)
        out.push_back({{"name", table.name},
                       {"used", table.used},
                       {"capacity", table.capacity},
                       {"option", table.option}});
    return out;
}

Json hooks(const View& view)
{
    Json out =
        Json::array({{{"name", "tc from_pod/to_pod"}, {"attachment", view.attach}, {"error", ""}}});
    for (const auto& hook : view.hooks)
        out.push_back(
            {{"name", hook.name}, {"attachment", hook.attachment}, {"error", hook.error}});
    return out;
}

std::unordered_map<const Pod*, std::string> local_pods(const World& world)
{
    std::unordered_map<const Pod*, std::string> out;
    for (const auto& interface : world.interfaces)
        if (interface.pod)
            out[interface.pod.get()] = interface.name;
    return out;
}

Json selected_pods(const World& world, const NetworkPolicy& policy)
{
    Json out = Json::array();
    for (const auto& interface : world.interfaces) {
        const Pod* pod = interface.pod.get();
        if (pod && pod->pod_namespace == policy.policy_namespace &&
            policy.pod_selector.matches(pod->labels))
            out.push_back(pod->key());
    }
    return out;
}

// With the label that every namespace has, described or not.
Labels namespace_labels(const World& world, const std::string& name)
{
    const auto found = std::ranges::find(world.namespaces, name, &Namespace::name);
    Labels labels = found == world.namespaces.end() ? Labels{} : (*found)->labels;
    labels.try_emplace("kubernetes.io/metadata.name", name);
    return labels;
}

Json selected_pods(const World& world, const ClusterPolicy& policy)
{
    Json out = Json::array();
    for (const auto& interface : world.interfaces) {
        const Pod* pod = interface.pod.get();
        if (pod && !pod->host_network && policy.pods.matches(pod->labels) &&
            policy.namespaces.matches(namespace_labels(world, pod->pod_namespace)))
            out.push_back(pod->key());
    }
    return out;
}

Json rule_count(const std::optional<std::vector<PolicyRule>>& rules)
{
    return rules ? Json(rules->size()) : Json();
}

Json summary(const World& world, const NetworkPolicy& policy)
{
    return {{"kind", "NetworkPolicy"},
            {"namespace", policy.policy_namespace},
            {"name", policy.name},
            {"file", policy.origin.file},
            {"line", policy.origin.line},
            {"mode", mode_name(policy.dry_run)},
            {"pod_selector", selector_text(policy.pod_selector)},
            {"ingress_rules", rule_count(policy.ingress)},
            {"egress_rules", rule_count(policy.egress)},
            {"selected_pods", selected_pods(world, policy)}};
}

Json summary(const World& world, const ClusterPolicy& policy)
{
    return {{"kind", policy.kind},
            {"namespace", ""},
            {"name", policy.name},
            {"file", policy.origin.file},
            {"line", policy.origin.line},
            {"mode", mode_name(policy.dry_run)},
            {"tier", tier_name(policy.in_tier)},
            {"priority", policy.priority},
            {"pod_selector", subject_text(policy)},
            {"ingress_rules", policy.ingress.size()},
            {"egress_rules", policy.egress.size()},
            {"selected_pods", selected_pods(world, policy)}};
}

Json rules(const std::optional<std::vector<PolicyRule>>& list)
{
    if (!list)
        return {};
    Json out = Json::array();
    for (const auto& rule : *list)
        out.push_back({{"line", rule.origin.line},
                       {"action", action_name(rule.action)},
                       {"peers", peer_texts(rule)},
                       {"ports", port_texts(rule)}});
    return out;
}

template <class Policy> std::string whole(const World& world, const Policy& policy)
{
    Json out = summary(world, policy);
    out["ingress"] = rules(policy.ingress);
    out["egress"] = rules(policy.egress);
    return text(out);
}

Json to_json(const Pod& pod, const std::string* interface)
{
    Json addresses = Json::array();
    for (const auto& address : pod.addresses)
        addresses.push_back(address.text());
    return {{"namespace", pod.pod_namespace},
            {"name", pod.name},
            {"addresses", std::move(addresses)},
            {"labels", Json(pod.labels)},
            {"node", pod.node},
            {"host_network", pod.host_network},
            {"finished", pod.finished},
            {"local", interface != nullptr},
            {"interface", interface ? *interface : ""}};
}

} // namespace

std::string status_json(const View& view, const AgentFacts& agent, const std::vector<Usage>& usage,
                        const std::optional<FlowLog::Counts>& flow_log)
{
    const bool degraded = view.degraded() || (flow_log && !flow_log->error.empty());
    return text({{"health", degraded ? "degraded" : "ok"},
                 {"version", agent.version},
                 {"node_name", agent.node_name},
                 {"mode", agent.audit ? "audit" : "enforce"},
                 {"pid", getpid()},
                 {"started", rfc3339(agent.started_ns)},
                 {"revision", view.revision},
                 {"generation", view.generation},
                 {"last_apply", last_apply(view)},
                 {"attach", view.attach},
                 {"directories", directories(view)},
                 {"files_with_errors", file_errors(view)},
                 {"warnings", all_warnings(view, flow_log)},
                 {"counts", counts(view)},
                 {"capacities", capacities(usage)},
                 {"flow_log", to_json(flow_log)},
                 {"hooks", hooks(view)}});
}

std::string policies_json(const View& view)
{
    Json out = Json::array();
    for (const auto& policy : view.world->policies)
        out.push_back(summary(*view.world, *policy));
    for (const auto& policy : view.world->cluster_policies)
        out.push_back(summary(*view.world, *policy));
    return text(out);
}

std::optional<std::string> policy_json(const View& view, const std::string& policy_namespace,
                                       const std::string& name)
{
    for (const auto& policy : view.world->policies)
        if (policy->policy_namespace == policy_namespace && policy->name == name)
            return whole(*view.world, *policy);
    for (const auto& policy : view.world->cluster_policies)
        if (policy->kind == policy_namespace && policy->name == name)
            return whole(*view.world, *policy);
    return std::nullopt;
}

std::string pods_json(const View& view)
{
    const auto local = local_pods(*view.world);
    Json out = Json::array();
    for (const auto& pod : view.world->pods) {
        const auto found = local.find(pod.get());
        out.push_back(to_json(*pod, found == local.end() ? nullptr : &found->second));
    }
    return text(out);
}

} // namespace ebpfd
