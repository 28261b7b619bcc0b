// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// What a command has to say, as data; the printer alone knows about formats.
namespace ebpfd::ctl {

using Json = nlohmann::ordered_json;

enum class Color : uint8_t { none, red, green, yellow };

// Text as it came, not yet escaped.
struct Cell {
    std::string text;
    Color color = Color::none;
};

struct Column {
    std::string title;
    std::string field;                              // JSON pointer into the row: "/pod", "/source"
    bool wide = false;                              // in -o wide only
    std::string (*text)(const Json& row) = nullptr; // instead of field
};

// A row as one line of cells, for what reads better as a sentence than as a table.
using Line = std::function<std::vector<Cell>(const Json& row, bool wide)>;

// One part of the data for the eye. A list becomes a table, an object one line a column, or
// one line a member if no columns are given; what is null or missing is left out.
struct Section {
    std::string title; // printed above the section; empty: nothing is
    std::string where; // JSON pointer into the data
    std::vector<Column> columns;
    Line line; // instead of columns
};

// json, jsonl and yaml show data; table and wide show the sections.
struct Report {
    Json data;
    std::vector<Section> sections;
};

} // namespace ebpfd::ctl
