// SPDX-License-Identifier: Apache-2.0
#include "bench/samples.h"

#include <exception>
#include <fmt/format.h>
#include <string_view>

// ebpfd_bench [packet|change]: all groups, or one.
int main(int argc, char** argv)
{
    const std::string_view group = argc > 1 ? argv[1] : "";
    try {
        const bool changes = group == "packet" || bench::measure_changes();
        const bool packets = group == "change" || bench::measure_packets();
        return changes && packets ? 0 : 1;
    } catch (const std::exception& error) {
        fmt::print(stderr, "ebpfd_bench: {}\n", error.what());
        return 1;
    }
}
