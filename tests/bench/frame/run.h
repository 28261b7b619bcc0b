// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bench/frame/results.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// One of the ways that are compared. take() measures once: a value for each measurement.
struct Variant {
    std::string name;
    std::optional<double> size;
    std::function<std::vector<double>()> take;
};

// A run in progress: measures, tells how far it is on stderr, and keeps the results.
class Run {
public:
    explicit Run(bool quick);

    bool quick() const { return results_.quick; }
    int rounds() const { return quick() ? 3 : 9; }
    // All variants once, and again, round by round (A B A B ...): what else happens on the machine
    // meets all of them alike. The first round warms up and does not count.
    void measure(const std::vector<Measurement>& what, const std::vector<Variant>& variants);
    // What a group has measured in its own way.
    void record(const Measurement& what, const std::string& variant, std::optional<double> size,
                Samples samples);
    void say(const std::string& progress) const;

    // Once all is measured.
    Results finish();

private:
    Results results_;
};

} // namespace bench
