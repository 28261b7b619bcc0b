// SPDX-License-Identifier: Apache-2.0
// What ebpfctl reads: an agent's lines of JSON, shown in every form, and its own arguments of time.
#include "base/escape.h"
#include "ebpfctl/clock.h"
#include "ebpfctl/event_line.h"
#include "ebpfctl/printer.h"
#include "fuzz/target.h"

#include <algorithm>
#include <sstream>

using namespace ebpfd;

namespace fuzz {
namespace {

bool is_plain(std::string_view text)
{
    return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 && c != '\n'; });
}

void expect_shown(const ctl::Json& json)
{
    const ctl::Report report{
        .data = json,
        .sections = {{.title = "", .where = "", .columns = {}, .line = ctl::event_line}}};
    for (const auto format : {ctl::Format::table, ctl::Format::wide, ctl::Format::json,
                              ctl::Format::jsonl, ctl::Format::yaml}) {
        std::ostringstream out;
        ctl::RowPrinter rows(out, {.format = format}, ctl::event_line);
        rows.row(json);
        rows.end();
        ctl::print(out, {.format = format}, report);
        expect(is_plain(out.str()), "nothing from outside steers the terminal");
    }
}

} // namespace

void try_input(std::string_view input)
{
    if (const auto json = ctl::Json::parse(input, nullptr, false); json.is_object())
        expect_shown(json);
    if (const auto duration = ctl::parse_duration(input))
        expect(duration->count() >= 0, "no duration is negative");
    const std::string escaped = escape_control(input);
    expect(is_plain(escaped) && escaped.find('\n') == std::string::npos,
           "text that is escaped is one line");
}

} // namespace fuzz
