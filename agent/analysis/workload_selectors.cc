// SPDX-License-Identifier: Apache-2.0
#include "analysis/workload_selectors.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>

namespace ebpfd {

namespace {

using Label = std::pair<std::string, std::string>;

constexpr size_t MOST_LABELS = 3; // more are tried only all together

// Labels that are made to name things, in the order in which they are tried.
constexpr std::array<std::string_view, 6> NAMING_LABELS{
    "app.kubernetes.io/name",      "app",      "k8s-app", "app.kubernetes.io/instance",
    "app.kubernetes.io/component", "component"};

auto preference(const Label& label)
{
    const auto found = std::ranges::find(NAMING_LABELS, label.first);
    return std::tuple(found - NAMING_LABELS.begin(), label.first);
}

bool has(const Labels& labels, const Label& label)
{
    const auto found = labels.find(label.first);
    return found != labels.end() && found->second == label.second;
}

Labels lasting(const Labels& labels)
{
    Labels out;
    for (const auto& [key, value] : labels)
        if (!is_passing_label(key))
            out.emplace(key, value);
    return out;
}

std::vector<Label> common_labels(const std::map<Labels, size_t>& own)
{
    std::vector<Label> out;
    for (const auto& [key, value] : own.begin()->first) {
        const Label label(key, value);
        if (std::ranges::all_of(own, [&](const auto& entry) { return has(entry.first, label); }))
            out.push_back(label);
    }
    std::ranges::sort(out, {}, preference);
    return out;
}

// Indexes into the others that have the label too, sorted.
using Others = std::vector<size_t>;

Others both(const Others& one, const Others& other)
{
    Others out;
    std::ranges::set_intersection(one, other, std::back_inserter(out));
    return out;
}

// The first choice of so many labels that leaves nobody else; as indexes.
std::optional<std::vector<size_t>> choose(const std::vector<Others>& left, const Others& now,
                                          size_t from, size_t count)
{
    if (count == 0)
        return now.empty() ? std::optional(std::vector<size_t>{}) : std::nullopt;
    for (size_t label = from; label + count <= left.size(); ++label) {
        auto rest = choose(left, both(now, left[label]), label + 1, count - 1);
        if (!rest)
            continue;
        rest->insert(rest->begin(), label);
        return rest;
    }
    return std::nullopt;
}

void require(Selector& selector, const Label& label)
{
    selector.requirements.push_back({label.first, Requirement::Operator::in, {label.second}});
}

// A key of the stranger's that no pod of the workload has.
std::optional<std::string> foreign_key(const Labels& stranger, const std::map<Labels, size_t>& own)
{
    for (const auto& [key, value] : stranger)
        if (std::ranges::none_of(own, [&](const auto& entry) { return entry.first.contains(key); }))
            return key;
    return std::nullopt;
}

} // namespace

WorkloadSelectors::WorkloadSelectors(const World& world)
{
    for (const auto& pod : world.pods)
        if (!pod->host_network && !pod->finished)
            add(*pod);
    for (const auto& [workload, variants] : pods_)
        for (const auto& [labels, count] : variants)
            by_namespace_[workload.in_namespace].push_back({&workload, labels});
}

void WorkloadSelectors::add(const Pod& pod)
{
    pods_[workload_of(pod)][lasting(pod.labels)]++;
}

const WorkloadSelector& WorkloadSelectors::of(const Workload& workload)
{
    const auto known = found_.find(workload);
    return known != found_.end() ? known->second
                                 : found_.emplace(workload, find(workload)).first->second;
}

WorkloadSelector WorkloadSelectors::find(const Workload& workload) const
{
    WorkloadSelector out;
    const auto own = pods_.find(workload);
    if (own == pods_.end())
        return out;
    for (const auto& [labels, count] : own->second)
        out.pods += count;

    Variants others;
    for (const Variant& variant : by_namespace_.at(workload.in_namespace))
        if (*variant.workload != workload)
            others.push_back(&variant);
    const std::vector<Label> labels = common_labels(own->second);
    std::vector<Others> left(labels.size());
    Others all;
    for (size_t other = 0; other < others.size(); ++other) {
        all.push_back(other);
        for (size_t label = 0; label < labels.size(); ++label)
            if (has(others[other]->labels, labels[label]))
                left[label].push_back(other);
    }
    for (size_t count = 1; count <= std::min(MOST_LABELS, labels.size()); ++count)
        if (const auto chosen = choose(left, all, 0, count)) {
            for (const size_t label : *chosen)
                require(out.selector, labels[label]);
            std::ranges::sort(out.selector.requirements);
            return out;
        }

    // Not by what the workload has; then by what it has not.
    std::set<std::string> foreign;
    for (size_t label = 0; label < labels.size(); ++label) {
        require(out.selector, labels[label]);
        all = both(all, left[label]);
    }
    std::set<Workload> strangers;
    for (const size_t other : all) {
        if (const auto key = foreign_key(others[other]->labels, own->second))
            foreign.insert(*key);
        else
            strangers.insert(*others[other]->workload);
    }
    for (const std::string& key : foreign)
        out.selector.requirements.push_back({key, Requirement::Operator::does_not_exist, {}});
    std::ranges::sort(out.selector.requirements);
    out.strangers.assign(strangers.begin(), strangers.end());
    return out;
}

} // namespace ebpfd
