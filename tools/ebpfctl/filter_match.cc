// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/filter_match.h"

#include "ebpfctl/cell.h"
#include "model/names.h"

#include <algorithm>

namespace ebpfd::ctl {
namespace {

bool take_prefix(std::string_view& text, std::string_view prefix)
{
    if (!text.starts_with(prefix))
        return false;
    text.remove_prefix(prefix.size());
    return true;
}

// "a=b,c" against a pod: each part has to hold.
bool has_labels(const PodLabels& labels, const std::string& pod, const std::string& wanted)
{
    const auto found = labels.find(pod);
    return found != labels.end() &&
           std::ranges::all_of(CLI::detail::split(wanted, ','), [&](const std::string& part) {
               const size_t equals = part.find('=');
               const auto label = found->second.find(part.substr(0, equals));
               return label != found->second.end() &&
                      (equals == part.npos || part.substr(equals + 1) == label->second);
           });
}

bool holds_address(const std::string& block, const std::string& text)
{
    const auto cidr = Cidr::parse(block);
    const auto address = IpAddress::parse(text);
    return cidr && address ? cidr->contains(*address) : block == text;
}

bool side_matches(const Json& side, std::string_view field, const std::string& wanted,
                  const PodLabels& labels)
{
    if (field == "pod")
        return pod_text(side) == wanted;
    if (field == "label")
        return has_labels(labels, pod_text(side), wanted);
    if (field == "ip")
        return holds_address(wanted, string_at(side, "/ip"));
    return value_text(member(side, "/" + std::string(field))) == wanted;
}

bool verdict_matches(const std::string& verdict, const std::string& wanted)
{
    for (uint32_t number = 0; number < VERDICT_COUNT; number++)
        if (verdict_name(number) == verdict)
            return has_verdict_name(number, wanted);
    return false;
}

bool has_sides(std::string_view field)
{
    return field == "pod" || field == "namespace" || field == "label" || field == "ip" ||
           field == "port";
}

// field: a filter's name without "not_".
bool value_matches(std::string_view field, const std::string& wanted, const Json& flow,
                   const PodLabels& labels)
{
    const bool from = take_prefix(field, "from_");
    const bool to = !from && take_prefix(field, "to_");
    if (has_sides(field))
        return (!to && side_matches(member(flow, "/source"), field, wanted, labels)) ||
               (!from && side_matches(member(flow, "/destination"), field, wanted, labels));
    const std::string value = value_text(member(flow, "/" + std::string(field)));
    if (field == "verdict")
        return verdict_matches(value, wanted);
    if (field != "policy")
        return value == wanted;
    const auto several = CLI::detail::split(value, ','); // all of them isolate
    return std::ranges::find(several, wanted) != several.end();
}

} // namespace

bool asks_for_labels(const Filters& filters)
{
    return std::ranges::any_of(filters,
                               [](const Filter& filter) { return filter.name.ends_with("label"); });
}

Result<PodLabels> pod_labels(const Context& context)
{
    auto pods = context.get("/v1/pods");
    if (!pods)
        return std::unexpected(pods.error());
    PodLabels labels;
    for (const Json& pod : *pods)
        for (const auto& [key, value] : member(pod, "/labels").items())
            labels[string_at(pod, "/namespace") + "/" + string_at(pod, "/name")][key] =
                value_text(value);
    return labels;
}

bool matches(const Filters& filters, const Json& flow, const PodLabels& labels)
{
    return std::ranges::all_of(filters, [&](const Filter& filter) {
        std::string_view field = filter.name;
        const bool wanted = !take_prefix(field, "not_");
        return wanted == std::ranges::any_of(filter.values, [&](const std::string& value) {
                   return value_matches(field, value, flow, labels);
               });
    });
}

} // namespace ebpfd::ctl
