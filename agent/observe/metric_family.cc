// SPDX-License-Identifier: Apache-2.0
#include "observe/metric_family.h"

namespace ebpfd {
namespace {

using prometheus::MetricType;

constexpr double microseconds = 1e6; // a second

// From 0.256 ms to 4.2 s, each bound four times the one before.
constexpr uint32_t first_bound = 7;
constexpr uint32_t last_bound = 21;

constexpr std::string_view replacement = "\xef\xbf\xbd";

// The bytes of the character at the beginning of text, or 0 if there is none. Overlong forms,
// surrogates and numbers behind U+10FFFF are no characters.
size_t character_size(std::string_view text)
{
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
    const uint8_t first = byte(0);
    if (first < 0x80)
        return 1;
    const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    const uint8_t second = byte(1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
        return 0;
    return size;
}

} // namespace

std::string label_text(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        const size_t size = character_size(text);
        out += size > 0 ? text.substr(0, size) : replacement;
        text.remove_prefix(size > 0 ? size : 1);
    }
    return out;
}

Family::Family(std::string name, std::string help, MetricType type)
    : family_{.name = std::move(name), .help = std::move(help), .type = type, .metric = {}}
{
}

Family Family::gauge(std::string name, std::string help)
{
    return {std::move(name), std::move(help), MetricType::Gauge};
}

Family Family::total(std::string name, std::string help)
{
    return {std::move(name), std::move(help), MetricType::Counter};
}

Family Family::histogram(std::string name, std::string help)
{
    return {std::move(name), std::move(help), MetricType::Histogram};
}

prometheus::ClientMetric& Family::add_metric(const MetricLabels& labels)
{
    auto& metric = family_.metric.emplace_back();
    for (const auto& [name, text] : labels)
        metric.label.push_back({.name = name, .value = label_text(text)});
    return metric;
}

Family& Family::add_real(double value, const MetricLabels& labels)
{
    auto& metric = add_metric(labels);
    metric.gauge.value = metric.counter.value = value;
    return *this;
}

Family& Family::add_histogram(const struct histogram& values, const MetricLabels& labels)
{
    auto& out = add_metric(labels).histogram;
    out.sample_sum = static_cast<double>(values.sum_us) / microseconds;
    for (uint32_t n = 0; n < HISTOGRAM_BUCKETS; n++) {
        out.sample_count += values.bucket[n];
        if (n >= first_bound && n <= last_bound && (n - first_bound) % 2 == 0)
            out.bucket.push_back({.cumulative_count = out.sample_count,
                                  .upper_bound = static_cast<double>(2ull << n) / microseconds});
    }
    return *this;
}

} // namespace ebpfd
