// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/printer.h"

#include "ebpfctl/sections.h"
#include "ebpfctl/yaml.h"

#include <utility>

namespace ebpfd::ctl {
namespace {

// All of ASCII and nothing else, so that no text from outside can steer a terminal.
std::string json_text(const Json& value, int indent)
{
    return value.dump(indent, ' ', true, Json::error_handler_t::replace);
}

void print_lines(std::ostream& out, const Json& data)
{
    if (!data.is_array()) {
        out << json_text(data, -1) << "\n";
        return;
    }
    for (const Json& row : data)
        out << json_text(row, -1) << "\n";
}

} // namespace

void print(std::ostream& out, const Style& style, const Report& report)
{
    switch (style.format) {
    case Format::table:
    case Format::wide:
        print_sections(out, style, report);
        break;
    case Format::json:
        out << json_text(report.data, 2) << "\n";
        break;
    case Format::jsonl:
        print_lines(out, report.data);
        break;
    case Format::yaml:
        out << yaml_text(report.data) << "\n";
        break;
    }
}

void RowPrinter::row(const Json& row)
{
    switch (style_.format) {
    case Format::table:
    case Format::wide:
        print_line(out_, style_, line_(row, style_.format == Format::wide));
        break;
    case Format::json:
        out_ << (first_ ? "[\n" : ",\n") << json_text(row, 2);
        break;
    case Format::jsonl:
        out_ << json_text(row, -1) << "\n";
        break;
    case Format::yaml:
        out_ << yaml_text(Json::array({row})) << "\n";
        break;
    }
    first_ = false;
}

void RowPrinter::end()
{
    if (std::exchange(ended_, true))
        return;
    if (style_.format == Format::json)
        out_ << (first_ ? "[]\n" : "\n]\n");
    else if (style_.format == Format::yaml && first_)
        out_ << "[]\n";
}

} // namespace ebpfd::ctl
