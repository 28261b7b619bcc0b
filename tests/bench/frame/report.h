// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "bench/frame/results.h"

#include <filesystem>
#include <map>
#include <string>

namespace bench {

struct Report {
    std::string text;                          // Markdown
    std::map<std::string, std::string> charts; // file name to SVG, as the text links them
};

// All of a run for readers, with the ratio to an earlier run's medians where one is given.
Report make_report(const Results& results, const Results* baseline = nullptr);

// Writes results.json, report.md and the charts into the folder, which is made if missing.
ebpfd::Result<void> write_report(const std::filesystem::path& folder, const Results& results,
                                 const Results* baseline = nullptr);
ebpfd::Result<Results> read_results(const std::filesystem::path& file);

} // namespace bench
