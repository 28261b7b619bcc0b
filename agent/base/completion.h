// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <CLI/App.hpp>
#include <array>
#include <string>

namespace ebpfd {

inline constexpr std::array SHELLS{"bash", "zsh", "fish"};

// A script that has one of SHELLS complete the commands and options of the program: made from what
// parses them, so that it knows those and no others.
std::string completion_script(const CLI::App& app, const std::string& shell);

} // namespace ebpfd
