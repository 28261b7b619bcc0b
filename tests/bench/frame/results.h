// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "bench/frame/machine.h"
#include "bench/frame/samples.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// What is measured, in which unit, and what its figures are compared with.
struct Measurement {
    std::string group;
    std::string name;
    std::string unit;
    std::string base{};      // a variant; none: each variant with its own smallest size
    std::string size_name{}; // what grows, where the figures have sizes
    bool more_is_better = false;

    bool operator==(const Measurement&) const = default;
};

// What was measured of one variant at one size.
struct Figure {
    std::string variant;
    std::optional<double> size;
    Samples samples;

    bool operator==(const Figure&) const = default;
};

struct Measured {
    Measurement what;
    std::vector<Figure> figures;

    const Figure* find(std::string_view variant, std::optional<double> size) const;
    // Against the base; nothing for the base itself, and where there is none or it is zero.
    std::optional<double> ratio_of(const Figure& figure) const;
    bool operator==(const Measured&) const = default;
};

// All that a run has measured. What is added under the name of an earlier measurement of the
// group joins it.
class Results {
public:
    void add(const Measurement& what, Figure figure);
    const Measured* find(std::string_view group, std::string_view name) const;
    const std::vector<Measured>& all() const { return all_; }

    Machine machine;
    bool quick = false;

    std::string json() const;
    // Reads what json() wrote; an Error says what does not fit.
    static ebpfd::Result<Results> parse(const std::string& json);

private:
    std::vector<Measured> all_;
};

} // namespace bench
