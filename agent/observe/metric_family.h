// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/health.h"

#include <cstdint>
#include <prometheus/metric_family.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebpfd {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// A metric under construction: its series, one after the other.
class Family {
public:
    static Family gauge(std::string name, std::string help);
    static Family total(std::string name, std::string help);
    static Family histogram(std::string name, std::string help);

    // Values of labels may be any text.
    Family& add(uint64_t value, const MetricLabels& labels = {})
    {
        return add_real(double(value), labels);
    }
    Family& add_real(double value, const MetricLabels& labels = {});
    // In seconds; neighbouring buckets are put together.
    Family& add_histogram(const struct histogram& values, const MetricLabels& labels = {});
    prometheus::MetricFamily take() { return std::move(family_); }

private:
    prometheus::ClientMetric& add_metric(const MetricLabels& labels);
    Family(std::string name, std::string help, prometheus::MetricType type);

    prometheus::MetricFamily family_;
};

// The text as UTF-8: what is none is replaced by U+FFFD. Quotes and line ends may stay, the
// serializer escapes them.
std::string label_text(std::string_view text);

} // namespace ebpfd
