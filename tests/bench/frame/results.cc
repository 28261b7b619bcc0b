// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/results.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace bench {
namespace {

using nlohmann::json;

constexpr int format = 1; // raised when older files can no longer be read

json to_json(const Machine& machine)
{
    return {{"processor", machine.processor},
            {"cores", machine.cores},
            {"memory_mib", machine.memory_mib},
            {"kernel", machine.kernel},
            {"load_before", machine.load_before},
            {"load_after", machine.load_after},
            {"time", machine.time}};
}

Machine machine_of(const json& from)
{
    return {.processor = from.at("processor"),
            .cores = from.at("cores"),
            .memory_mib = from.at("memory_mib"),
            .kernel = from.at("kernel"),
            .load_before = from.at("load_before"),
            .load_after = from.at("load_after"),
            .time = from.at("time")};
}

json to_json(const Measured& measured)
{
    json figures = json::array();
    for (const Figure& figure : measured.figures) {
        json one{{"variant", figure.variant}, {"values", figure.samples.values()}};
        if (figure.size)
            one["size"] = *figure.size;
        figures.push_back(std::move(one));
    }
    const Measurement& what = measured.what;
    return {{"group", what.group},         {"name", what.name},
            {"unit", what.unit},           {"base", what.base},
            {"size_name", what.size_name}, {"more_is_better", what.more_is_better},
            {"figures", figures}};
}

Measurement measurement_of(const json& from)
{
    return {.group = from.at("group"),
            .name = from.at("name"),
            .unit = from.at("unit"),
            .base = from.at("base"),
            .size_name = from.at("size_name"),
            .more_is_better = from.at("more_is_better")};
}

Figure figure_of(const json& from)
{
    Figure figure{.variant = from.at("variant"),
                  .size = {},
                  .samples = Samples(from.at("values").get<std::vector<double>>())};
    if (from.contains("size"))
        figure.size = from.at("size").get<double>();
    return figure;
}

Results results_of(const json& from)
{
    if (from.at("format") != format)
        throw std::runtime_error("written by another version");
    Results results;
    results.machine = machine_of(from.at("machine"));
    results.quick = from.at("quick");
    for (const json& measured : from.at("measurements"))
        for (const json& figure : measured.at("figures"))
            results.add(measurement_of(measured), figure_of(figure));
    return results;
}

} // namespace

const Figure* Measured::find(std::string_view variant, std::optional<double> size) const
{
    const auto found = std::ranges::find_if(figures, [&](const Figure& figure) {
        return figure.variant == variant && figure.size == size;
    });
    return found == figures.end() ? nullptr : &*found;
}

std::optional<double> Measured::ratio_of(const Figure& figure) const
{
    const Figure* base = find(what.base, figure.size);
    if (what.base.empty() && figure.size)
        for (const Figure& other : figures)
            if (other.variant == figure.variant && (!base || other.size < base->size))
                base = &other;
    if (!base || base == &figure || base->samples.median() == 0)
        return {};
    return ratio(figure.samples, base->samples);
}

void Results::add(const Measurement& what, Figure figure)
{
    auto found = std::ranges::find_if(all_, [&](const Measured& one) { return one.what == what; });
    if (found == all_.end())
        found = all_.insert(all_.end(), {what, {}});
    found->figures.push_back(std::move(figure));
}

const Measured* Results::find(std::string_view group, std::string_view name) const
{
    const auto found = std::ranges::find_if(all_, [&](const Measured& one) {
        return one.what.group == group && one.what.name == name;
    });
    return found == all_.end() ? nullptr : &*found;
}

std::string Results::json() const
{
    auto measurements = nlohmann::json::array();
    for (const Measured& one : all_)
        measurements.push_back(to_json(one));
    const nlohmann::json out{{"format", format},
                             {"machine", to_json(machine)},
                             {"quick", quick},
                             {"measurements", measurements}};
    return out.dump(1) + "\n";
}

ebpfd::Result<Results> Results::parse(const std::string& text)
{
    try {
        return results_of(nlohmann::json::parse(text));
    } catch (const std::exception& error) {
        return ebpfd::fail(0, std::string("not results of ebpfd_bench: ") + error.what());
    }
}

} // namespace bench
