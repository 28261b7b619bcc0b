// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <rapidcheck.h>
#include <utility>
#include <vector>

namespace property {

// Random choices, all from the state that rapidcheck prints with a failure.
class Dice {
public:
    explicit Dice(const rc::Random& random) : random_(random) {}

    // 0 to count - 1.
    size_t below(size_t count) { return static_cast<size_t>(random_.next() % count); }
    // low to high, both included.
    size_t between(size_t low, size_t high) { return low + below(high - low + 1); }
    bool chance(unsigned percent) { return below(100) < percent; }
    template <class List> const auto& pick(const List& from) { return from[below(from.size())]; }
    template <class T> void shuffle(std::vector<T>& items)
    {
        for (size_t left = items.size(); left > 1; --left)
            std::swap(items[left - 1], items[below(left)]);
    }

private:
    rc::Random random_;
};

} // namespace property
