// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "property/verdict.h"

#include <array>
#include <cstddef>

namespace property {

// How often each reason was given: shows that the random cases reach every part.
class Tally {
public:
    void add(const Verdict& verdict);
    // Fails the running test unless each reason that policies can give has its share, and so have
    // dry runs that end otherwise.
    void expect_all_reasons(size_t least) const;

private:
    std::array<size_t, REASON_COUNT> counts_{};
    std::array<size_t, VERDICT_COUNT> verdicts_{};
};

} // namespace property
