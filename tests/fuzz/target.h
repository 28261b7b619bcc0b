// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

// What all fuzz targets share. Each defines try_input(); the rest is libFuzzer.
namespace fuzz {

// One input of any bytes. What must hold is expected; the end of the process is a finding.
void try_input(std::string_view input);

// Ends the process, with the sentence, unless it holds.
void expect(bool holds, std::string_view sentence);
// The same where two texts must be one; both are shown.
void expect_equal(std::string_view a, std::string_view b, std::string_view sentence);

} // namespace fuzz
