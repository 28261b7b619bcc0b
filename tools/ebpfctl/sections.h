// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/printer.h"

namespace ebpfd::ctl {

// The report's sections for the eye: tables, lines, and members one below the other. All
// text is escaped here.
void print_sections(std::ostream& out, const Style& style, const Report& report);
void print_line(std::ostream& out, const Style& style, const std::vector<Cell>& cells);

} // namespace ebpfd::ctl
