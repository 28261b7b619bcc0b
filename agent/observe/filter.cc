// SPDX-License-Identifier: Apache-2.0
#include "observe/filter.h"

#include "model/names.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <strings.h>

namespace ebpfd {

// What the conditions' texts become.
struct FilterParser {
    using Test = RecordFilter::Test;
    using PartyTest = std::function<bool(const Party&)>;

    // A condition's name without its prefixes.
    struct Name {
        bool wanted = true;
        bool source = true; // the sides that are looked at
        bool destination = true;
        std::string field;
    };
    static Name split(std::string_view name);
    static std::expected<Test, std::string> test_of(const Name& name, const std::string& value);
    static Result<Test> parse(const std::string& name, const std::string& value);
};

namespace {

using Test = FilterParser::Test;
using PartyTest = FilterParser::PartyTest;

struct Label {
    std::string key;
    std::optional<std::string> value; // none: the key alone counts
};

std::expected<PartyTest, std::string> pod_test(const std::string& value)
{
    const size_t slash = value.find('/');
    if (slash == 0 || slash == value.npos || slash + 1 == value.size())
        return std::unexpected("NAMESPACE/NAME");
    return [space = value.substr(0, slash), pod = value.substr(slash + 1)](const Party& p) {
        return p.name && p.name->pod == pod && p.name->pod_namespace == space;
    };
}

std::expected<PartyTest, std::string> namespace_test(const std::string& value)
{
    if (value.empty())
        return std::unexpected("a namespace");
    return [=](const Party& p) { return p.name && p.name->pod_namespace == value; };
}

std::optional<std::vector<Label>> labels_of(std::string_view text)
{
    std::vector<Label> out;
    while (true) {
        const std::string_view one = text.substr(0, text.find(','));
        const size_t equals = one.find('=');
        Label label{.key = std::string(one.substr(0, equals)), .value = {}};
        if (equals != one.npos)
            label.value = one.substr(equals + 1);
        if (label.key.empty())
            return std::nullopt;
        out.push_back(std::move(label));
        if (one.size() == text.size())
            return out;
        text.remove_prefix(one.size() + 1);
    }
}

std::expected<PartyTest, std::string> label_test(const std::string& value)
{
    auto labels = labels_of(value);
    if (!labels)
        return std::unexpected("KEY or KEY=VALUE, several with commas");
    return [labels = std::move(*labels)](const Party& p) {
        return p.name && p.name->labels && std::ranges::all_of(labels, [&](const Label& label) {
                   const auto found = p.name->labels->find(label.key);
                   return found != p.name->labels->end() &&
                          (!label.value || *label.value == found->second);
               });
    };
}

std::expected<PartyTest, std::string> address_test(const std::string& value)
{
    if (const auto block = Cidr::parse(value))
        return [=](const Party& p) { return block->contains(p.address); };
    if (const auto address = IpAddress::parse(value))
        return [=](const Party& p) { return p.address == *address; };
    return std::unexpected("an IP address or a block of them");
}

std::expected<PartyTest, std::string> port_test(const std::string& value)
{
    uint16_t port = 0;
    const char* end = value.data() + value.size();
    if (auto [stop, error] = std::from_chars(value.data(), end, port);
        error != std::errc{} || stop != end || port == 0)
        return std::unexpected("a port from 1 to 65535");
    return [=](const Party& p) { return p.port == port; };
}

struct SidedField {
    std::string_view name;
    std::expected<PartyTest, std::string> (*parse)(const std::string& value);
};

constexpr SidedField sided_fields[] = {{"pod", pod_test},
                                       {"namespace", namespace_test},
                                       {"label", label_test},
                                       {"ip", address_test},
                                       {"port", port_test}};

// One of the names that a number of the datapath can have.
struct NumberedField {
    std::string_view name;
    uint32_t count;
    std::string_view (*text)(uint32_t);
    __u8 event::*field;
};

constexpr NumberedField numbered_fields[] = {
    {"reason", REASON_COUNT, reason_name, &event::reason},
    {"type", EVENT_TYPE_COUNT, event_type_name, &event::type},
    {"direction", DIRECTION_COUNT, direction_name, &event::direction}};

std::expected<Test, std::string> number_test(const NumberedField& field, const std::string& value)
{
    for (uint32_t number = 0; number < field.count; number++)
        if (value != "unknown" && field.text(number) == value)
            return [number, member = field.field](const AttributedEvent& r, const Parties&) {
                return r.raw.*member == number;
            };
    return std::unexpected(fmt::format("a {} as it stands in a record", field.name));
}

std::expected<Test, std::string> verdict_test(const std::string& value)
{
    for (uint32_t number = 0; number < VERDICT_COUNT; number++)
        if (verdict_name(number) == value)
            return [=](const AttributedEvent& r, const Parties&) {
                return has_verdict_name(r.raw.verdict, value);
            };
    return std::unexpected("allow, deny, would-deny or would-allow");
}

std::expected<Test, std::string> protocol_test(const std::string& value)
{
    for (uint32_t number = 0; number < 256; number++)
        if (strcasecmp(protocol_name(number).c_str(), value.c_str()) == 0)
            return [=](const AttributedEvent& r, const Parties&) {
                return r.raw.key.protocol == number;
            };
    return std::unexpected("TCP, UDP, SCTP, ICMP, ICMPv6 or a number");
}

// An isolation names several policies; each of them counts.
Test policy_test(const std::string& policy)
{
    return [wanted = fmt::format(",{},", policy)](const AttributedEvent& r, const Parties&) {
        return r.rule && fmt::format(",{},", r.rule->policy_text()).contains(wanted);
    };
}

Test on_sides(const FilterParser::Name& name, PartyTest test)
{
    return [source = name.source, destination = name.destination,
            test = std::move(test)](const AttributedEvent&, const Parties& parties) {
        return (source && test(parties.source)) || (destination && test(parties.destination));
    };
}

bool take_prefix(std::string_view& text, std::string_view prefix)
{
    if (!text.starts_with(prefix))
        return false;
    text.remove_prefix(prefix.size());
    return true;
}

} // namespace

FilterParser::Name FilterParser::split(std::string_view name)
{
    Name out;
    out.wanted = !take_prefix(name, "not_");
    if (take_prefix(name, "from_"))
        out.destination = false;
    else if (take_prefix(name, "to_"))
        out.source = false;
    out.field = name;
    return out;
}

// Fails with what is wanted instead of the value; with nothing if there is no such field.
std::expected<Test, std::string> FilterParser::test_of(const Name& name, const std::string& value)
{
    for (const auto& field : sided_fields)
        if (field.name == name.field) {
            auto test = field.parse(value);
            return test ? std::expected<Test, std::string>(on_sides(name, std::move(*test)))
                        : std::unexpected(test.error());
        }
    if (!name.source || !name.destination)
        return std::unexpected("");
    for (const auto& field : numbered_fields)
        if (field.name == name.field)
            return number_test(field, value);
    if (name.field == "verdict")
        return verdict_test(value);
    if (name.field == "protocol")
        return protocol_test(value);
    if (name.field == "policy")
        return policy_test(value);
    return std::unexpected("");
}

Result<Test> FilterParser::parse(const std::string& name, const std::string& value)
{
    auto test = test_of(split(name), value);
    if (test)
        return std::move(*test);
    if (test.error().empty())
        return fail(EINVAL, fmt::format("unknown filter \"{}\"", name));
    return fail(EINVAL, fmt::format("filter {}=\"{}\": want {}", name, value, test.error()));
}

Result<RecordFilter> RecordFilter::parse(const Conditions& conditions)
{
    RecordFilter filter;
    const std::string* last = nullptr;
    for (const auto& [name, value] : conditions) {
        auto test = FilterParser::parse(name, value);
        if (!test)
            return std::unexpected(test.error());
        if (!last || *last != name)
            filter.groups_.push_back({.wanted = FilterParser::split(name).wanted, .tests = {}});
        filter.groups_.back().tests.push_back(std::move(*test));
        filter.text_ += fmt::format("{}{}={}", last ? " " : "", name, value);
        last = &name;
    }
    filter.interest_ = interest_of(conditions);
    return filter;
}

bool RecordFilter::matches(const AttributedEvent& record) const
{
    if (groups_.empty())
        return true;
    const Parties parties = parties_of(record);
    return std::ranges::all_of(groups_, [&](const Group& group) {
        return group.wanted == std::ranges::any_of(group.tests, [&](const Test& test) {
                   return test(record, parties);
               });
    });
}

} // namespace ebpfd
