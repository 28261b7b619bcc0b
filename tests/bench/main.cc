// SPDX-License-Identifier: Apache-2.0
#include "bench/samples.h"

#include <exception>
#include <fmt/format.h>
#include <string_view>

// ebpfd_bench [packet|change|events|idle|analysis]: all groups, or one.
int main(int argc, char** argv)
{
    const std::string_view group = argc > 1 ? argv[1] : "";
    try {
        const auto wanted = [&](std::string_view name) { return group.empty() || group == name; };
        const bool changes = !wanted("change") || bench::measure_changes();
        const bool packets = !wanted("packet") || bench::measure_packets();
        const bool events = !wanted("events") || bench::measure_events();
        const bool idle = !wanted("idle") || bench::measure_idle();
        const bool analysis = !wanted("analysis") || bench::measure_analysis();
        return changes && packets && events && idle && analysis ? 0 : 1;
    } catch (const std::exception& error) {
        fmt::print(stderr, "ebpfd_bench: {}\n", error.what());
        return 1;
    }
}
