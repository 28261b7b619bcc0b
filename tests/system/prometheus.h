// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "lab/node.h"
#include "lab/process.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

namespace system_test {

// The body of what a server on the machine's loopback answers; empty: no answer, or no 200.
std::string http_get(const lab::Machine& machine, uint16_t port, const std::string& path);

// The metrics of a text as /metrics serves it: types by name, and the values of all series.
struct MetricsText {
    std::map<std::string, std::string> types;
    std::map<std::string, double> values; // by name and labels, as they stand there

    static MetricsText parse(const std::string& text);
    // The names of all metrics that start with ebpfd_.
    std::set<std::string> names() const;
    // Whether a query may use the name: that of a metric, or of a histogram's part.
    bool knows(const std::string& name) const;
};

// The ebpfd_ and process_ names that stand in a query or in any other text.
std::set<std::string> metric_names_in(const std::string& text);

// A real Prometheus on the machine, with a folder of its own, that scrapes a port there once a
// second; ended with this object.
class Prometheus {
public:
    Prometheus(const lab::Machine& machine, std::filesystem::path folder, uint16_t scraped);
    bool running() { return process_.running(); }
    std::string err() const { return process_.err(); }
    // The result of an instant query; discarded JSON if it is refused.
    nlohmann::json query(const std::string& expression) const;
    // The first series' value, if there is one.
    std::optional<double> value(const std::string& expression) const;

private:
    static lab::Process start(const lab::Machine& machine, const std::filesystem::path& folder,
                              uint16_t scraped);
    const lab::Machine& machine_;
    lab::Process process_;
};

} // namespace system_test
