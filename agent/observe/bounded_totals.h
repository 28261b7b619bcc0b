// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Counters for metrics that carry names: they only rise, and their number is bounded.
namespace ebpfd {

template <size_t N> using Counts = std::array<uint64_t, N>;

// Turns what sources have counted into what was added since they were read last. A source that
// starts anew, at 0, takes nothing back.
template <size_t N> class Increases {
public:
    Counts<N> since_last(uint32_t source, const Counts<N>& now)
    {
        Counts<N>& before = last_[source];
        Counts<N> added{};
        for (size_t i = 0; i < N; i++)
            added[i] = now[i] >= before[i] ? now[i] - before[i] : now[i];
        before = now;
        return added;
    }
    // The number may be given to another source, which starts at 0.
    void forget(uint32_t source) { last_.erase(source); }

private:
    std::map<uint32_t, Counts<N>> last_;
};

// The values of a series' labels, in the order of its metric's labels.
using SeriesName = std::vector<std::string>;

// Sums by name, for at most so many names; what has no place is summed up in one more.
template <size_t N> class BoundedTotals {
public:
    using Added = Counts<N>;

    explicit BoundedTotals(size_t most) : most_(most) {}

    void add(const SeriesName& name, const Added& added)
    {
        Counts<N>& sum = place(name);
        for (size_t i = 0; i < N; i++)
            sum[i] += added[i];
    }
    // All other names have gone. A place that becomes free is for who comes next, so that the
    // overflow takes nothing back.
    void retain(const std::set<SeriesName>& names)
    {
        std::erase_if(series_, [&](const auto& entry) { return !names.contains(entry.first); });
        std::erase_if(unplaced_, [&](const auto& name) { return !names.contains(name); });
    }

    const std::map<SeriesName, Counts<N>>& series() const { return series_; }
    const Counts<N>& overflow() const { return overflow_; }
    // How many names have ever found no place.
    uint64_t dropped() const { return dropped_; }

private:
    Counts<N>& place(const SeriesName& name)
    {
        if (const auto found = series_.find(name); found != series_.end())
            return found->second;
        if (series_.size() < most_) {
            unplaced_.erase(name);
            return series_[name];
        }
        dropped_ += unplaced_.insert(name).second ? 1 : 0;
        return overflow_;
    }

    size_t most_;
    std::map<SeriesName, Counts<N>> series_;
    std::set<SeriesName> unplaced_;
    Counts<N> overflow_{};
    uint64_t dropped_ = 0;
};

} // namespace ebpfd
