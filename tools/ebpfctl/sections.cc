// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/sections.h"

#include "base/escape.h"
#include "ebpfctl/cell.h"

#include <algorithm>

namespace ebpfd::ctl {
namespace {

constexpr size_t GAP = 2; // blanks between columns

// Characters on the screen, each code point counted as one.
size_t display_width(std::string_view text)
{
    auto leads = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    return static_cast<size_t>(std::ranges::count_if(text, leads));
}

std::string_view color_code(Color color)
{
    switch (color) {
    case Color::red:
        return "\033[31m";
    case Color::green:
        return "\033[32m";
    case Color::yellow:
        return "\033[33m";
    case Color::none:
        break;
    }
    return "";
}

std::string paint(const Style& style, Color color, const std::string& safe_text)
{
    if (!style.color || color == Color::none)
        return safe_text;
    return std::string(color_code(color)) + safe_text + "\033[0m";
}

std::vector<Column> visible(const Style& style, const std::vector<Column>& columns)
{
    std::vector<Column> shown;
    std::ranges::copy_if(columns, std::back_inserter(shown), [&](const Column& column) {
        return !column.wide || style.format == Format::wide;
    });
    return shown;
}

using Grid = std::vector<std::vector<Cell>>; // rows of escaped cells

void print_grid(std::ostream& out, const Style& style, const Grid& grid)
{
    std::vector<size_t> widths;
    for (const auto& row : grid) {
        widths.resize(std::max(widths.size(), row.size()));
        for (size_t i = 0; i < row.size(); i++)
            widths[i] = std::max(widths[i], display_width(row[i].text));
    }
    for (const auto& row : grid) {
        for (size_t i = 0; i < row.size(); i++) {
            out << paint(style, row[i].color, row[i].text);
            if (i + 1 < row.size())
                out << std::string(widths[i] + GAP - display_width(row[i].text), ' ');
        }
        out << "\n";
    }
}

Cell safe(Cell cell)
{
    cell.text = escape_control(cell.text);
    return cell;
}

void print_table(std::ostream& out, const Style& style, const Section& section, const Json& rows)
{
    auto columns = visible(style, section.columns);
    Grid grid;
    if (style.headers) {
        auto& header = grid.emplace_back();
        for (const Column& column : columns)
            header.push_back({column.title});
    }
    for (const Json& row : rows) {
        auto& cells = grid.emplace_back();
        for (const Column& column : columns)
            cells.push_back(safe(cell_of(row, column)));
    }
    print_grid(out, style, grid);
}

void print_members(std::ostream& out, const Style& style, const Section& section,
                   const Json& object)
{
    Grid grid;
    for (const Column& column : visible(style, section.columns))
        grid.push_back({{column.title + ":"}, safe(cell_of(object, column))});
    if (section.columns.empty())
        for (const auto& [key, value] : object.items())
            grid.push_back({{escape_control(key) + ":"}, safe({value_text(value)})});
    print_grid(out, style, grid);
}

void print_section(std::ostream& out, const Style& style, const Section& section, const Json& data)
{
    if (section.line) {
        for (const Json& row : data)
            print_line(out, style, section.line(row, style.format == Format::wide));
    } else if (data.is_array()) {
        print_table(out, style, section, data);
    } else {
        print_members(out, style, section, data);
    }
}

} // namespace

void print_sections(std::ostream& out, const Style& style, const Report& report)
{
    bool alone = report.sections.size() == 1;
    bool first = true;
    for (const Section& section : report.sections) {
        const Json& data = member(report.data, section.where);
        if (data.is_null() || (data.empty() && !alone))
            continue;
        if (!first)
            out << "\n";
        if (!section.title.empty())
            out << section.title << "\n";
        print_section(out, style, section, data);
        first = false;
    }
}

void print_line(std::ostream& out, const Style& style, const std::vector<Cell>& cells)
{
    bool first = true;
    for (const Cell& cell : cells) {
        out << (first ? "" : " ") << paint(style, cell.color, escape_control(cell.text));
        first = false;
    }
    out << "\n";
}

} // namespace ebpfd::ctl
