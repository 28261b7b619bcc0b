// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/event_line.h"

#include "ebpfctl/cell.h"

#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

// "2026-01-02T03:04:05.678901234Z" to "03:04:05.678".
std::string time_of_day(const std::string& time)
{
    constexpr size_t DATE = 11, LENGTH = 12;
    return time.size() > DATE + LENGTH ? time.substr(DATE, LENGTH) : time;
}

// What decided: the kernel where it was that, the rule if there is one, else the reason.
std::string cause(const Json& event)
{
    if (string_at(event, "/type") == "kernel_drop")
        return fmt::format("(kernel: {})", value_text(member(event, "/kernel_drop_reason")));
    std::string policy = string_at(event, "/policy");
    if (policy.empty())
        return fmt::format("({})", value_text(member(event, "/reason")));
    std::string cause =
        fmt::format("{} {} {}", policy, value_text(member(event, "/rule")), place_text(event));
    if (member(event, "/enforced").is_object())
        cause += "; in force: " + enforced_text(event);
    return "(" + cause + ")";
}

} // namespace

std::vector<Cell> event_line(const Json& event, bool wide)
{
    if (string_at(event, "/type") == "lost")
        return {{fmt::format("{} events lost: they came faster than this reader takes them",
                             value_text(member(event, "/records"))),
                 Color::yellow}};
    const std::string verdict = value_text(member(event, "/verdict"));
    const std::string type = value_text(member(event, "/type"));
    // What policy let through and the kernel dropped is not forwarded.
    const bool lost = type == "kernel_drop";
    std::string time = string_at(event, "/time");
    std::vector<Cell> cells{
        {wide ? time : time_of_day(time)},
        {value_text(member(event, "/source"))},
        {"->"},
        {value_text(member(event, "/destination"))},
        {value_text(member(event, "/direction"))},
        {type, lost ? Color::red : Color::none},
        {verdict, lost ? Color::none : color_of(verdict)},
        {cause(event)},
        {value_text(member(event, "/protocol"))},
    };
    const Json& suppressed = member(event, "/suppressed");
    if (suppressed.is_number() && suppressed != 0)
        cells.push_back({fmt::format("+{} like it", suppressed.dump())});
    if (wide)
        cells.push_back({fmt::format("{} {} packets {} bytes", value_text(member(event, "/state")),
                                     value_text(member(event, "/packets")),
                                     value_text(member(event, "/bytes")))});
    return cells;
}

} // namespace ebpfd::ctl
