// SPDX-License-Identifier: Apache-2.0
// What a peer asks for: the parameters of a query, one "name=value" a line, and a proposal.
#include "fuzz/target.h"
#include "observe_stream.h"
#include "proposal.h"
#include "unit/observe/records.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace ebpfd;

namespace fuzz {
namespace {

using Conditions = RecordFilter::Conditions;

Conditions conditions_of(std::string_view input)
{
    Conditions conditions;
    while (!input.empty()) {
        const std::string_view line = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(input.size(), line.size() + 1));
        const size_t equals = std::min(line.find('='), line.size());
        conditions.emplace(line.substr(0, equals), line.substr(std::min(line.size(), equals + 1)));
    }
    return conditions;
}

std::vector<event> records()
{
    using namespace ebpfd::testing;
    event ping = opened(3, "2001:db8::1");
    ping.key.protocol = IPPROTO_ICMPV6;
    ping.rule = 0;
    return {opened(1), refused(2), ping};
}

// A filter with "not_" in front leaves out what it would let through, and nothing else.
void expect_contrary(const Conditions& conditions)
{
    const auto& [name, value] = *conditions.begin();
    const bool negated = name.starts_with("not_");
    const auto filter = RecordFilter::parse({{name, value}});
    const auto contrary = RecordFilter::parse({{negated ? name.substr(4) : "not_" + name, value}});
    expect(filter.has_value() == contrary.has_value(), "a filter that parses has a contrary");
    if (!filter)
        return;
    for (const event& raw : records()) {
        const auto record = attribute(raw, *ebpfd::testing::names(), 0);
        expect(filter->matches(record) != contrary->matches(record),
               fmt::format("either {} or {} matches", filter->text(), contrary->text()));
    }
}

// The datapath leaves out nothing that a filter wants.
void expect_interest(const RecordFilter& filter)
{
    for (const event& raw : records()) {
        const auto record = attribute(raw, *ebpfd::testing::names(), 0);
        if (!filter.matches(record))
            continue;
        expect(filter.interest().types >> raw.type & 1, "a type that is wanted is of interest");
        expect(filter.interest().verdicts >> raw.verdict & 1, "so is a verdict");
    }
}

void expect_filter(const Conditions& conditions)
{
    const auto filter = RecordFilter::parse(conditions);
    if (!filter) {
        expect(!filter.error().message.empty(), "a refusal has a reason");
        return;
    }
    std::string text;
    for (const auto& [name, value] : conditions)
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
    expect_equal(filter->text(), text, "a filter prints what it was made of");
    expect_interest(*filter);
    if (!conditions.empty())
        expect_contrary(conditions);
}

void expect_reply(const StreamReply& reply)
{
    if (const auto* refusal = std::get_if<HttpReply>(&reply)) {
        expect(refusal->status == 400, "what cannot be answered is the peer's mistake");
        expect(nlohmann::json::parse(refusal->body, nullptr, false).contains("error"),
               "a refusal is JSON with a sentence");
        return;
    }
    const auto& lines = std::get<LineSource>(reply);
    for (size_t batches = 0; lines.next().has_value(); batches++)
        expect(batches < 3, "the past has an end");
}

} // namespace

void try_input(std::string_view input)
{
    Conditions conditions = conditions_of(input);
    expect_filter(conditions);
    conditions.erase("follow"); // those wait for what is to come
    Observer observer;
    observer.set_names(ebpfd::testing::names());
    observer.consume(records());
    expect_reply(observe_stream(observer, {.captures = {}, .query = conditions}));
    if (const auto proposal = parse_proposal(input))
        for (const auto& [name, text] : proposal->files)
            expect(name.size() + text.size() <= 3 * input.size(), "a proposal says what is in it");
}

} // namespace fuzz
