// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/filter.h"

#include <algorithm>

namespace ebpfd::ctl {
namespace {

bool is_side(const std::string& field)
{
    return field == "pod" || field == "ip" || field == "port" || field == "namespace";
}

// The values of an event that a filter of that name is about.
std::vector<std::string> values_of(const Json& event, const std::string& name)
{
    auto side = [&](const char* which, const std::string& field) {
        const Json& object = member(event, std::string("/") + which);
        return field == "pod" ? pod_text(object) : value_text(member(object, "/" + field));
    };
    if (name.starts_with("from_"))
        return {side("source", name.substr(5))};
    if (name.starts_with("to_"))
        return {side("destination", name.substr(3))};
    if (is_side(name))
        return {side("source", name), side("destination", name)};
    if (name == "policy")
        return CLI::detail::split(string_at(event, "/policy"), ','); // several can isolate
    return {value_text(member(event, "/" + name))};
}

} // namespace

bool matches(const Filters& filters, const Json& event)
{
    return std::ranges::all_of(filters, [&](const Filter& filter) {
        auto values = values_of(event, filter.name);
        return std::ranges::any_of(filter.values, [&](const std::string& wanted) {
            return std::ranges::find(values, wanted) != values.end();
        });
    });
}

} // namespace ebpfd::ctl
