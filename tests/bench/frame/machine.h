// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace bench {

// Where a run was measured, and what else went on there.
struct Machine {
    std::string processor;
    unsigned cores = 0;
    unsigned memory_mib = 0;
    std::string kernel;
    double load_before = 0; // runnable tasks, averaged over a minute
    double load_after = 0;
    std::string time; // UTC, RFC 3339

    bool operator==(const Machine&) const = default;
};

// This one, with load_before as it is now.
Machine this_machine();
double load_average();

} // namespace bench
