// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/filter.h"

#include "api/client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

struct FilterOption {
    const char* option;
    const char* name;
    const char* description;
    std::vector<std::string> choices; // empty: any text
};

const std::vector<FilterOption>& filter_options()
{
    static const std::vector<FilterOption> options{
        {"--pod", "pod", "Pod on either side, NAMESPACE/NAME", {}},
        {"--from-pod", "from_pod", "Pod that opened the connection", {}},
        {"--to-pod", "to_pod", "Pod to which it was opened", {}},
        {"--ip", "ip", "Address on either side", {}},
        {"--from-ip", "from_ip", "Address that opened the connection", {}},
        {"--to-ip", "to_ip", "Address to which it was opened", {}},
        {"--port", "port", "Port on either side", {}},
        {"--protocol", "protocol", "TCP, UDP, SCTP, ICMP, ICMPv6 or a number", {}},
        {"--verdict", "verdict", "Verdict", {"allow", "deny", "would-deny"}},
        {"--reason", "reason", "Reason, as events show it", {}},
        {"--type", "type", "Type", {"flow_open", "flow_update", "flow_close", "drop"}},
        {"--policy", "policy", "Policy that decided, NAMESPACE/NAME", {}},
        {"--direction", "direction", "Direction", {"ingress", "egress"}},
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
    auto address = IpAddress::parse(text);
    if (!address)
        return fail(EINVAL, fmt::format("\"{}\" is no address", text));
    return address->text();
}

Result<std::string> complete_value(const std::string& name, const std::string& value,
                                   const Context& context)
{
    if (name == "pod" || name == "from_pod" || name == "to_pod" || name == "policy") {
        auto full = context.full_name(value);
        if (!full)
            return std::unexpected(full.error());
        return full->text();
    }
    if (name == "ip" || name == "from_ip" || name == "to_ip")
        return address_value(value);
    if (name == "port")
        return port_value(value);
    return name == "protocol" ? protocol_value(value) : value;
}

} // namespace

std::shared_ptr<Filters> add_filters(CLI::App& app, bool events)
{
    auto filters = std::make_shared<Filters>();
    filters->reserve(filter_options().size()); // the options keep references into it
    for (const FilterOption& known : filter_options()) {
        if (!events && std::string(known.name) == "type")
            continue;
        Filter& filter = filters->emplace_back(Filter{known.name, {}});
        CLI::Option* option = app.add_option(known.option, filter.values, known.description)
                                  ->delimiter(',')
                                  ->allow_extra_args(false)
                                  ->type_name("VALUE");
        if (!known.choices.empty())
            option->check(CLI::IsMember(known.choices));
    }
    return filters;
}

Result<Filters> complete(const Filters& filters, const Context& context)
{
    Filters full;
    for (const Filter& filter : filters) {
        if (filter.values.empty())
            continue;
        Filter& one = full.emplace_back(Filter{filter.name, {}});
        for (const std::string& value : filter.values) {
            auto completed = complete_value(filter.name, value, context);
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
