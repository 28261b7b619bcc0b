// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/filter.h"

#include "api/client.h"
#include "model/names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <span>
#include <utility>

namespace ebpfd::ctl {
namespace {

struct FilterOption {
    const char* name;
    const char* description;
    bool sides = false;                    // --from-NAME and --to-NAME too
    bool commas = true;                    // several values in one argument
    std::vector<std::string> choices = {}; // empty: any text
};

std::vector<std::string> event_type_names()
{
    std::vector<std::string> names;
    for (uint32_t type = EVENT_FLOW_OPEN; type < EVENT_TYPE_COUNT; type++)
        names.emplace_back(event_type_name(type));
    return names;
}

const std::vector<FilterOption>& filter_options()
{
    static const std::vector<FilterOption> options{
        {"pod", "Pod, NAMESPACE/NAME", true},
        {"namespace", "Namespace of the pod", true},
        {"label", "Label of the pod, KEY or KEY=VALUE; A,B: both", true, false},
        {"ip", "Address or block (CIDR)", true},
        {"port", "Port", true},
        {"protocol", "TCP, UDP, SCTP, ICMP, ICMPv6 or a number"},
        {"verdict", "allow, deny, would-deny, would-allow; or FORWARDED, DROPPED, AUDIT"},
        {"reason", "Reason, as events show it"},
        {"type", "Type", false, true, event_type_names()},
        {"policy", "Policy that decided, NAMESPACE/NAME; KIND/NAME of a cluster-wide one"},
        {"direction", "Direction", false, true, {"ingress", "egress"}},
    };
    return options;
}

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

Result<std::string> protocol_value(const std::string& text)
{
    for (const char* name : {"TCP", "UDP", "SCTP", "ICMP", "ICMPv6"})
        if (lower(text) == lower(name))
            return name;
    if (text.size() <= 3 && std::ranges::all_of(text, [](unsigned char c) { return isdigit(c); }))
        return text;
    return fail(EINVAL, fmt::format("--protocol {}: not known", text));
}

Result<std::string> port_value(const std::string& text)
{
    bool number = !text.empty() && text.size() <= 5 &&
                  std::ranges::all_of(text, [](unsigned char c) { return isdigit(c); });
    if (!number || std::stoi(text) > 65535)
        return fail(EINVAL, fmt::format("--port {}: not a port", text));
    return std::to_string(std::stoi(text));
}

Result<std::string> address_value(const std::string& text)
{
    if (const auto block = Cidr::parse(text))
        return block->text();
    auto address = IpAddress::parse(text);
    if (!address)
        return fail(EINVAL, fmt::format("\"{}\" is no address and no block", text));
    return address->text();
}

// Verdicts in the words of events, and in those that Hubble's users know.
Result<std::string> verdict_value(const std::string& text)
{
    constexpr std::pair<std::string_view, const char*> words[] = {
        {"allow", "allow"},           {"deny", "deny"},
        {"would-deny", "would-deny"}, {"would-allow", "would-allow"},
        {"forwarded", "allow"},       {"dropped", "deny"},
        {"audit", "would-deny"},
    };
    for (const auto& [word, verdict] : words)
        if (lower(text) == word)
            return verdict;
    return fail(EINVAL,
                fmt::format("--verdict {}: want allow, deny, would-deny or would-allow", text));
}

Result<std::string> full_name(const std::string& text, const Context& context)
{
    auto full = context.full_name(text);
    if (!full)
        return std::unexpected(full.error());
    return full->text();
}

// field: a filter's name without what stands for negation and side.
Result<std::string> complete_value(std::string_view field, const std::string& value,
                                   const Context& context)
{
    if (field == "pod" || field == "policy")
        return full_name(value, context);
    if (field == "ip")
        return address_value(value);
    if (field == "port")
        return port_value(value);
    if (field == "verdict")
        return verdict_value(value);
    return field == "protocol" ? protocol_value(value) : value;
}

std::string_view field_of(std::string_view name)
{
    for (const std::string_view prefix : {"not_", "from_", "to_"})
        if (name.starts_with(prefix))
            name.remove_prefix(prefix.size());
    return name;
}

// "not_from_pod" to "--not-from-pod".
std::string option_of(std::string name)
{
    std::ranges::replace(name, '_', '-');
    return "--" + name;
}

struct Side {
    const char* prefix;
    const char* text;
};
constexpr Side SIDES[] = {
    {"", " on either side"}, {"from_", " of the side that opened"}, {"to_", " of the other side"}};

void add_option(CLI::App& app, Filters& filters, const FilterOption& known, const Side& side,
                bool negated)
{
    const std::string name = std::string(negated ? "not_" : "") + side.prefix + known.name;
    const std::string where = known.sides ? side.text : "";
    // -n NAMESPACE is an option of all commands.
    if (name == "namespace")
        return;
    Filter& filter = filters.emplace_back(Filter{name, {}});
    CLI::Option* option = app.add_option(option_of(name), filter.values, known.description + where)
                              ->allow_extra_args(false)
                              ->type_name("VALUE");
    if (known.commas)
        option->delimiter(',');
    if (!known.choices.empty())
        option->check(CLI::IsMember(known.choices));
    if (negated)
        option->group(""); // written as two words
}

} // namespace

std::shared_ptr<Filters> add_filters(CLI::App& app, bool events)
{
    auto filters = std::make_shared<Filters>();
    filters->reserve(filter_options().size() * std::size(SIDES) * 2); // options refer to them
    for (const FilterOption& known : filter_options()) {
        if (!events && std::string_view(known.name) == "type")
            continue;
        for (const Side& side : std::span(SIDES, known.sides ? std::size(SIDES) : 1))
            for (const bool negated : {false, true})
                add_option(app, *filters, known, side, negated);
    }
    app.add_flag_callback(
        "--not",
        [] { throw CLI::ValidationError("--not", "stands before a filter: --not --port 53"); },
        "Leave out what the next filter matches: --not --port 53");
    return filters;
}

std::vector<std::string> attach_negations(const std::vector<std::string>& arguments)
{
    std::vector<std::string> attached;
    for (const std::string& argument : arguments)
        if (!attached.empty() && attached.back() == "--not" && argument.starts_with("--"))
            attached.back() += argument.substr(1);
        else
            attached.push_back(argument);
    return attached;
}

Result<Filters> complete(const Filters& filters, const Context& context)
{
    Filters full;
    for (const Filter& filter : filters) {
        if (filter.values.empty())
            continue;
        Filter& one = full.emplace_back(Filter{filter.name, {}});
        for (const std::string& value : filter.values) {
            auto completed = complete_value(field_of(filter.name), value, context);
            if (!completed)
                return std::unexpected(completed.error());
            one.values.push_back(*completed);
        }
    }
    if (!context.options.in_namespace.empty() && !context.options.all_namespaces)
        full.push_back({"namespace", {context.options.in_namespace}});
    return full;
}

std::string query_of(const Filters& filters)
{
    std::string query;
    for (const Filter& filter : filters)
        for (const std::string& value : filter.values)
            query += "&" + filter.name + "=" + url_encode(value);
    return query;
}

} // namespace ebpfd::ctl
