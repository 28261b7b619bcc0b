// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/report.h"

#include <ostream>

namespace ebpfd::ctl {

enum class Format : uint8_t { table, wide, json, jsonl, yaml };

struct Style {
    Format format = Format::table;
    bool headers = true;
    bool color = false;
};

void print(std::ostream& out, const Style& style, const Report& report);

// Rows that come one by one; json is a list that end() closes, once.
class RowPrinter {
public:
    RowPrinter(std::ostream& out, Style style, Line line)
        : out_(out), style_(style), line_(std::move(line))
    {
    }
    void row(const Json& row);
    void end();

private:
    std::ostream& out_;
    Style style_;
    Line line_;
    bool first_ = true;
    bool ended_ = false;
};

} // namespace ebpfd::ctl
