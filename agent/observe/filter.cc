// SPDX-License-Identifier: Apache-2.0
#include "observe/filter.h"

#include "model/names.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <strings.h>

namespace ebpfd {
namespace {

using Test = std::function<bool(const AttributedEvent&)>;
using PartyTest = std::function<bool(const Party&)>;

enum class Side { source, destination, either };

Test on_side(Side side, PartyTest test)
{
    return [side, test = std::move(test)](const AttributedEvent& record) {
        const auto [source, destination] = parties_of(record);
        return (side != Side::destination && test(source)) ||
               (side != Side::source && test(destination));
    };
}

Side side_of(std::string_view name)
{
    return name.starts_with("from_") ? Side::source
           : name.starts_with("to_") ? Side::destination
                                     : Side::either;
}

std::unexpected<Error> unusable(const std::string& name, const std::string& value,
                                std::string_view wanted)
{
    return fail(EINVAL, fmt::format("filter {}=\"{}\": want {}", name, value, wanted));
}

Result<Test> pod_test(const std::string& name, const std::string& value)
{
    const size_t slash = value.find('/');
    if (slash == 0 || slash == value.npos || slash + 1 == value.size())
        return unusable(name, value, "NAMESPACE/NAME");
    return on_side(side_of(name),
                   [space = value.substr(0, slash), pod = value.substr(slash + 1)](const Party& p) {
                       return p.name && p.name->pod == pod && p.name->pod_namespace == space;
                   });
}

Result<Test> address_test(const std::string& name, const std::string& value)
{
    const auto address = IpAddress::parse(value);
    if (!address)
        return unusable(name, value, "an IP address");
    return on_side(side_of(name), [=](const Party& p) { return p.address == *address; });
}

Result<Test> port_test(const std::string& name, const std::string& value)
{
    uint16_t port = 0;
    const char* end = value.data() + value.size();
    if (auto [stop, error] = std::from_chars(value.data(), end, port);
        error != std::errc{} || stop != end || port == 0)
        return unusable(name, value, "a port from 1 to 65535");
    return on_side(Side::either, [=](const Party& p) { return p.port == port; });
}

// One of the names that a number of the datapath can have.
Result<Test> number_test(const std::string& name, const std::string& value, uint32_t count,
                         std::string_view (*text)(uint32_t), __u8 event::*field)
{
    for (uint32_t number = 0; number < count; number++)
        if (value != "unknown" && text(number) == value)
            return Test([=](const AttributedEvent& r) { return r.raw.*field == number; });
    return unusable(name, value, fmt::format("a {} as it stands in a record", name));
}

Result<Test> protocol_test(const std::string& name, const std::string& value)
{
    for (uint32_t number = 0; number < 256; number++)
        if (strcasecmp(protocol_name(number).c_str(), value.c_str()) == 0)
            return Test([=](const AttributedEvent& r) { return r.raw.key.protocol == number; });
    return unusable(name, value, "TCP, UDP, SCTP, ICMP, ICMPv6 or a number");
}

// An isolation names several policies; each of them counts.
bool names_policy(const std::string& list, const std::string& policy)
{
    return ("," + list + ",").find("," + policy + ",") != std::string::npos;
}

} // namespace

Result<Test> RecordFilter::parse_one(const std::string& name, const std::string& value)
{
    if (name == "pod" || name == "from_pod" || name == "to_pod")
        return pod_test(name, value);
    if (name == "ip" || name == "from_ip" || name == "to_ip")
        return address_test(name, value);
    if (name == "port")
        return port_test(name, value);
    if (name == "protocol")
        return protocol_test(name, value);
    if (name == "verdict")
        return number_test(name, value, VERDICT_WOULD_DENY + 1, verdict_name, &event::verdict);
    if (name == "reason")
        return number_test(name, value, REASON_COUNT, reason_name, &event::reason);
    if (name == "type")
        return number_test(name, value, EVENT_DROP + 1, event_type_name, &event::type);
    if (name == "direction")
        return number_test(name, value, DIRECTION_COUNT, direction_name, &event::direction);
    if (name == "policy")
        return Test([=](const AttributedEvent& r) {
            return r.rule && names_policy(r.rule->policy_text(), value);
        });
    if (name == "namespace")
        return on_side(Side::either,
                       [=](const Party& p) { return p.name && p.name->pod_namespace == value; });
    return fail(EINVAL, fmt::format("unknown filter \"{}\"", name));
}

Result<RecordFilter> RecordFilter::parse(const std::multimap<std::string, std::string>& conditions)
{
    RecordFilter filter;
    const std::string* last = nullptr;
    for (const auto& [name, value] : conditions) {
        auto test = parse_one(name, value);
        if (!test)
            return std::unexpected(test.error());
        if (!last || *last != name)
            filter.groups_.emplace_back();
        filter.groups_.back().push_back(std::move(*test));
        last = &name;
    }
    return filter;
}

bool RecordFilter::matches(const AttributedEvent& record) const
{
    return std::ranges::all_of(groups_, [&](const auto& group) {
        return std::ranges::any_of(group, [&](const Test& test) { return test(record); });
    });
}

} // namespace ebpfd
