// SPDX-License-Identifier: Apache-2.0
#include "fuzz/target.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>

namespace fuzz {

void expect(bool holds, std::string_view sentence)
{
    if (holds)
        return;
    fmt::print(stderr, "does not hold: {}\n", sentence);
    std::abort();
}

void expect_equal(std::string_view a, std::string_view b, std::string_view sentence)
{
    if (a != b)
        expect(false, fmt::format("{}\n--- one\n{}\n--- the other\n{}", sentence, a, b));
}

} // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    fuzz::try_input({reinterpret_cast<const char*>(data), size});
    return 0;
}
