// SPDX-License-Identifier: Apache-2.0
#include "analysis/suggestion.h"
#include "base/rfc3339.h"
#include "model/names.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ebpfd {

namespace {

constexpr std::string_view NAMESPACE_NAME = "kubernetes.io/metadata.name";

// YAML that is no JSON has words that are no strings.
bool is_plain(std::string_view text)
{
    static constexpr std::array<std::string_view, 9> WORDS{"true", "false", "yes", "no", "on",
                                                           "off",  "null",  "y",   "n"};
    const auto is_safe = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/';
    };
    return !text.empty() && text[0] >= 'a' && text[0] <= 'z' &&
           std::ranges::all_of(text, is_safe) && std::ranges::find(WORDS, text) == WORDS.end();
}

// As JSON has it, in ASCII: no text from outside ends its line.
std::string quoted(const std::string& text)
{
    return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string scalar(const std::string& text)
{
    return is_plain(text) ? text : quoted(text);
}

// The same for a comment.
std::string safe(const std::string& text)
{
    const std::string json = quoted(text);
    return json.substr(1, json.size() - 2);
}

std::string workload_text(const Workload& workload)
{
    return safe(workload.text()) + (workload.kind.empty() ? "" : " (" + safe(workload.kind) + ")");
}

std::string count_text(size_t count, std::string_view one)
{
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

// What stands behind the protocol; nothing for all of its ports.
std::string range_text(const PortSpanOf& ports)
{
    if (ports.first == 0)
        return "";
    if (ports.first == ports.last)
        return fmt::format(", port: {}", ports.first);
    return fmt::format(", port: {}, endPort: {}", ports.first, ports.last);
}

class Writer {
public:
    void line(size_t indent, std::string_view text)
    {
        text_ += fmt::format("{}{}\n", std::string(indent, ' '), text);
    }
    void comment(size_t indent, const std::string& text) { line(indent, "# " + text); }

    void selector(size_t indent, const std::string& name, const Selector& selector)
    {
        if (selector.requirements.empty())
            return line(indent, name + ": {}");
        line(indent, name + ":");
        const auto is_label = [](const Requirement& one) {
            return one.op == Requirement::Operator::in;
        };
        if (std::ranges::any_of(selector.requirements, is_label))
            line(indent + 2, "matchLabels:");
        for (const Requirement& one : selector.requirements)
            if (is_label(one))
                line(indent + 4, scalar(one.key) + ": " + scalar(one.values.front()));
        if (!std::ranges::all_of(selector.requirements, is_label))
            line(indent + 2, "matchExpressions:");
        for (const Requirement& one : selector.requirements)
            if (!is_label(one))
                line(indent + 2,
                     fmt::format("- {{key: {}, operator: DoesNotExist}}", scalar(one.key)));
    }

    void strangers(size_t indent, const WorkloadSelector& selector)
    {
        if (selector.strangers.empty())
            return;
        std::string others;
        for (const Workload& stranger : selector.strangers)
            others += (others.empty() ? "" : ", ") + workload_text(stranger);
        comment(indent, "No label tells it from " + others + ": selected as well.");
    }

    void rule(const SuggestedRule& rule, direction dir)
    {
        say_of(rule);
        line(2, dir == DIRECTION_INGRESS ? "- from:" : "- to:");
        if (rule.pods)
            peer(*rule.pods, rule.selector);
        for (const Cidr& block : rule.blocks)
            line(4, fmt::format("- ipBlock: {{cidr: {}}}", quoted(block.text())));
        if (rule.every_port)
            return;
        line(4, "ports:");
        for (const PortSpanOf& ports : rule.ports)
            line(4, fmt::format("- {{protocol: {}{}}}", protocol_name(ports.protocol),
                                range_text(ports)));
    }

    std::string take() { return std::move(text_); }

private:
    void say_of(const SuggestedRule& rule)
    {
        const std::string seen = fmt::format(
            "{}, the last at {}.", count_text(rule.flows, "connection"), rfc3339(rule.seen_ns));
        if (rule.pods)
            comment(2, fmt::format("{}: {}", workload_text(*rule.pods), seen));
        else
            comment(2, fmt::format("{}: {}",
                                   rule.anywhere ? "Anywhere, for there are too many addresses"
                                                 : "Addresses of no pod",
                                   seen));
        for (const std::string& name : rule.names)
            comment(2, "One is that of " + safe(name) + ".");
        strangers(2, rule.selector);
        if (rule.every_port)
            comment(2, "Every port, since ICMP and what else has no ports passes by no port.");
    }

    void peer(const Workload& workload, const WorkloadSelector& pods)
    {
        line(4, "- namespaceSelector:");
        line(8, "matchLabels:");
        line(10, fmt::format("{}: {}", NAMESPACE_NAME, scalar(workload.in_namespace)));
        selector(6, "podSelector", pods.selector);
    }

    std::string text_;
};

constexpr std::array<std::string_view, DIRECTION_COUNT> TYPES{"Ingress", "Egress"};
constexpr std::array<std::string_view, DIRECTION_COUNT> SECTIONS{"ingress", "egress"};

void write_section(const Suggestion& suggestion, direction dir, Writer& out)
{
    const auto& rules = suggestion.rules[dir];
    if (!rules)
        return;
    out.line(2, fmt::format("{}:{}", SECTIONS[dir], rules->empty() ? " []" : ""));
    for (const SuggestedRule& rule : *rules)
        out.rule(rule, dir);
}

void write_head(const Suggestion& suggestion, Writer& out)
{
    out.line(0, "---");
    out.comment(0, fmt::format("{}: {} of its {} on this node, {}.",
                               workload_text(suggestion.workload), suggestion.local_pods,
                               count_text(suggestion.selector.pods, "pod"),
                               count_text(suggestion.flows, "connection")));
    out.strangers(0, suggestion.selector);
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS})
        if (!suggestion.rules[dir])
            out.comment(0, fmt::format("No {} was seen: this policy leaves it as it is; --isolate "
                                       "closes it.",
                                       SECTIONS[dir]));
}

} // namespace

std::string yaml_of(const Suggestion& suggestion)
{
    Writer out;
    write_head(suggestion, out);
    out.line(0, "apiVersion: networking.k8s.io/v1");
    out.line(0, "kind: NetworkPolicy");
    out.line(0, "metadata:");
    out.line(2, "name: " + scalar(suggestion.name));
    out.line(2, "namespace: " + scalar(suggestion.workload.in_namespace));
    out.line(0, "spec:");
    out.selector(2, "podSelector", suggestion.selector.selector);
    std::string types;
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS})
        if (suggestion.rules[dir])
            types += fmt::format("{}{}", types.empty() ? "" : ", ", TYPES[dir]);
    out.line(2, "policyTypes: [" + types + "]");
    write_section(suggestion, DIRECTION_INGRESS, out);
    write_section(suggestion, DIRECTION_EGRESS, out);
    return out.take();
}

} // namespace ebpfd
