// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_cluster_rule.h"

#include "policy/decode_rule.h"
#include "policy/decode_selector.h"

#include <algorithm>

namespace ebpfd {

namespace {

constexpr size_t LONGEST_RULE_NAME = 100;
constexpr size_t MOST_NETWORKS = 25; // and domain names

// What the peers of a rule come to.
struct Peers {
    std::vector<PolicyPeer> list;
    bool unknown = false; // a peer without any field
    bool outside = false; // networks, nodes or domain names, where no port has a name
    std::optional<Field> domain_names;
};

rule_action decode_action(const Field& rule, const Dialect& dialect, FieldErrors& errors)
{
    const auto field = member(rule, "action");
    const std::string words =
        std::string(dialect.accept) + (dialect.has_pass ? ", Deny or Pass" : " or Deny");
    if (!field) {
        errors.add(rule, "action is required: " + words);
        return ACTION_DENY;
    }
    const auto action = text_of(*field, errors);
    if (action == dialect.accept)
        return ACTION_ALLOW;
    if (action == "Pass" && dialect.has_pass)
        return ACTION_PASS;
    if (action && *action != "Deny")
        errors.add(*field, "must be " + words + ", is \"" + *action + "\"");
    return ACTION_DENY;
}

void check_name(const Field& rule, FieldErrors& errors)
{
    const auto field = member(rule, "name");
    const auto name = field ? text_of(*field, errors) : std::nullopt;
    if (name && name->size() > LONGEST_RULE_NAME)
        errors.add(*field, "must have at most 100 characters");
}

void add_networks(const Field& list, const Dialect& dialect, Peers& peers, FieldErrors& errors)
{
    peers.outside = true;
    for (const Field& item : bounded_items(list, MOST_NETWORKS, errors)) {
        const auto cidr = decode_cidr(item, errors);
        if (!cidr)
            continue;
        const std::string& text = item.value->string;
        const auto address = IpAddress::parse(text.substr(0, text.find('/')));
        if (dialect.masked_cidrs && address != cidr->address)
            errors.add(item, "has bits behind its prefix: write " + cidr->text());
        peers.list.push_back({.block = IpBlock{*cidr, {}}, .namespaces = {}, .pods = {}});
    }
}

void add_domain_names(const Field& list, Peers& peers, FieldErrors& errors)
{
    peers.outside = true;
    peers.domain_names = list;
    for (const Field& item : bounded_items(list, MOST_NETWORKS, errors))
        (void)text_of(item, errors);
}

void add_peer(const Field& field, direction dir, const Dialect& dialect, Peers& peers,
              FieldErrors& errors)
{
    const bool known =
        dir == DIRECTION_INGRESS
            ? check_object(field, {"namespaces", "pods"}, errors)
            : check_object(field, {"namespaces", "pods", "nodes", "networks", "domainNames"},
                           errors);
    if (!known)
        return;
    if (!only_member(field, false, errors)) {
        peers.unknown = true;
        return;
    }
    if (const auto namespaces = member(field, "namespaces"))
        peers.list.push_back(
            {.block = {}, .namespaces = decode_selector(*namespaces, errors), .pods = {}});
    else if (const auto pods = member(field, "pods"))
        peers.list.push_back(decode_namespaced_pods(*pods, dialect, errors));
    else if (const auto networks = member(field, "networks"))
        add_networks(*networks, dialect, peers, errors);
    else if (const auto names = member(field, "domainNames"))
        add_domain_names(*names, peers, errors);
    else if (const auto nodes = member(field, "nodes")) {
        peers.outside = true;
        peers.list.push_back(
            {.block = {}, .namespaces = {}, .pods = {}, .nodes = decode_selector(*nodes, errors)});
    }
}

Peers decode_peers(const Field& rule, direction dir, const Dialect& dialect, FieldErrors& errors)
{
    Peers result;
    const std::string_view name = dir == DIRECTION_INGRESS ? "from" : "to";
    if (const auto list = member(rule, name)) {
        for (const Field& peer : bounded_items(*list, dialect.most, errors))
            add_peer(peer, dir, dialect, result, errors);
    } else {
        errors.add(rule, std::string(name) + " is required");
    }
    return result;
}

void decode_ports(const Field& rule, const Dialect& dialect, const Peers& peers, PolicyRule& result,
                  FieldErrors& errors)
{
    const auto list = member(rule, dialect.ports);
    if (!list)
        return;
    for (const Field& item : bounded_items(*list, dialect.most, errors)) {
        const auto some = decode_cluster_port(item, dialect, errors);
        const bool named = std::ranges::any_of(some, [](const PolicyPort& port) {
            return std::holds_alternative<std::string>(port.port);
        });
        if (named && peers.outside)
            errors.add(item, "a named port cannot stand beside networks, nodes or domainNames: "
                             "only pods have names for ports");
        result.ports.insert(result.ports.end(), some.begin(), some.end());
    }
}

void note_domain_names(const Field& names, ClusterPolicy& policy, const PolicyRule& rule,
                       FieldErrors& errors)
{
    if (rule.action != ACTION_ALLOW)
        errors.add(names, "stands in Accept rules only");
    policy.notes.push_back(policy.origin.file + ":" + std::to_string(names.value->line) + ": " +
                           names.path + " is not enforced yet: the rule matches nothing by it");
}

// A rule with a peer that nobody knows: Accept matches nothing, Deny and Pass deny everything.
void fail_closed(PolicyRule& rule)
{
    rule.nobody = rule.action == ACTION_ALLOW;
    if (rule.nobody)
        return;
    rule.action = ACTION_DENY;
    rule.ports.clear();
}

PolicyRule decode_rule(const Field& field, direction dir, const Dialect& dialect,
                       ClusterPolicy& policy, FieldErrors& errors)
{
    PolicyRule result;
    result.origin = {policy.origin.file, field.value->line, field.value->column};
    const std::string_view peers_name = dir == DIRECTION_INGRESS ? "from" : "to";
    if (!check_object(field, {"name", "action", peers_name, dialect.ports}, errors))
        return result;
    check_name(field, errors);
    result.action = decode_action(field, dialect, errors);
    Peers peers = decode_peers(field, dir, dialect, errors);
    decode_ports(field, dialect, peers, result, errors);
    if (peers.domain_names)
        note_domain_names(*peers.domain_names, policy, result, errors);
    if (peers.unknown)
        fail_closed(result);
    else if (peers.list.empty())
        result.nobody = true;
    else
        result.peers = std::move(peers.list);
    return result;
}

} // namespace

std::vector<PolicyRule> decode_cluster_rules(const Field& list, direction dir,
                                             const Dialect& dialect, ClusterPolicy& policy,
                                             FieldErrors& errors)
{
    std::vector<PolicyRule> result;
    const auto rules = items(list, errors);
    if (rules.size() > dialect.most)
        errors.add(list, "must have at most " + std::to_string(dialect.most) + " rules");
    for (const Field& rule : rules)
        result.push_back(decode_rule(rule, dir, dialect, policy, errors));
    return result;
}

PolicyPeer decode_namespaced_pods(const Field& field, const Dialect& dialect, FieldErrors& errors)
{
    PolicyPeer result;
    if (!check_object(field, {"namespaceSelector", "podSelector"}, errors))
        return result;
    const auto namespaces = member(field, "namespaceSelector");
    const auto pods = member(field, "podSelector");
    if (!pods)
        errors.add(field, "podSelector is required");
    if (!namespaces && dialect.both_selectors)
        errors.add(field, "namespaceSelector is required");
    result.namespaces = namespaces ? decode_selector(*namespaces, errors) : Selector{};
    if (pods)
        result.pods = decode_selector(*pods, errors);
    return result;
}

std::vector<Field> bounded_items(const Field& list, size_t most, FieldErrors& errors)
{
    auto result = items(list, errors);
    const bool is_list = list.value->kind == Value::Kind::list;
    if (is_list && (list.value->items.empty() || list.value->items.size() > most))
        errors.add(list, "must have 1 to " + std::to_string(most) + " items");
    return result;
}

std::optional<Field> only_member(const Field& object, bool needed, FieldErrors& errors)
{
    std::vector<Field> present;
    for (const auto& [name, value] : object.value->members)
        if (const auto field = member(object, name))
            present.push_back(*field);
    if (present.size() > 1)
        errors.add(object, "must have one field only");
    if (present.empty() && needed)
        errors.add(object, "must have one field");
    return present.size() == 1 ? std::optional(present.front()) : std::nullopt;
}

} // namespace ebpfd
