// SPDX-License-Identifier: Apache-2.0
#include "source/tree_builder.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <unordered_set>

namespace ebpfd {

TreeSize size_of_tree(const Value& value)
{
    TreeSize size{.bytes = sizeof(Value) + value.string.size()};
    const auto add = [&size](const Value& child) {
        const TreeSize inner = size_of_tree(child);
        size.bytes += inner.bytes;
        size.depth = std::max(size.depth, inner.depth + 1);
    };
    for (const Value& item : value.items)
        add(item);
    for (const auto& [name, member] : value.members) {
        size.bytes += name.size();
        add(member);
    }
    if (value.kind == Value::Kind::list || value.kind == Value::Kind::object)
        size.depth = std::max<size_t>(size.depth, 1);
    return size;
}

FileError TreeBuilder::error(Place place, std::string reason) const
{
    return {{file_, place.line, place.column}, std::move(reason)};
}

TreeBuilder::Outcome TreeBuilder::charge(size_t bytes, Place place)
{
    bytes_ += bytes;
    if (bytes_ <= MAX_TREE_BYTES)
        return {};
    return std::unexpected(
        error(place, fmt::format("the values up to here need more than {} MiB of memory",
                                 MAX_TREE_BYTES >> 20)));
}

TreeBuilder::Outcome TreeBuilder::open(Value::Kind kind, Place place)
{
    if (open_.size() >= MAX_TREE_DEPTH)
        return std::unexpected(
            error(place, fmt::format("nested deeper than {} levels", MAX_TREE_DEPTH)));
    if (auto charged = charge(sizeof(Value), place); !charged)
        return charged;
    Frame& frame = open_.emplace_back();
    frame.value.kind = kind;
    frame.value.line = place.line;
    frame.value.column = place.column;
    return {};
}

TreeBuilder::Outcome TreeBuilder::close()
{
    Frame frame = std::move(open_.back());
    open_.pop_back();
    if (auto checked = refuse_duplicates(frame.value); !checked)
        return checked;
    if (auto merged = merge_all(frame); !merged)
        return merged;
    attach(std::move(frame.value));
    return {};
}

TreeBuilder::Outcome TreeBuilder::add(Value value, TreeSize size)
{
    const Place place{value.line, value.column};
    if (open_.size() + size.depth > MAX_TREE_DEPTH)
        return std::unexpected(
            error(place, fmt::format("nested deeper than {} levels", MAX_TREE_DEPTH)));
    if (auto charged = charge(size.bytes, place); !charged)
        return charged;
    attach(std::move(value));
    return {};
}

TreeBuilder::Outcome TreeBuilder::add_scalar(Value value)
{
    const TreeSize size{.bytes = sizeof(Value) + value.string.size()};
    return add(std::move(value), size);
}

TreeBuilder::Outcome TreeBuilder::key(std::string name, Place place, bool merge)
{
    Frame& frame = open_.back();
    const size_t bytes = name.size() + sizeof(std::string);
    frame.key = std::move(name);
    frame.key_place = place;
    frame.has_key = true;
    frame.merge = merge;
    return charge(bytes, place);
}

bool TreeBuilder::wants_key() const
{
    return !open_.empty() && open_.back().value.kind == Value::Kind::object &&
           !open_.back().has_key;
}

void TreeBuilder::attach(Value value)
{
    if (open_.empty()) {
        root_ = std::move(value);
        last_ = &root_;
        return;
    }
    Frame& frame = open_.back();
    if (frame.value.kind == Value::Kind::list) {
        last_ = &frame.value.items.emplace_back(std::move(value));
        return;
    }
    frame.has_key = false;
    if (frame.merge) {
        last_ = &frame.merges.emplace_back(std::move(value));
        return;
    }
    frame.value.key_marks.emplace_back(frame.key_place.line, frame.key_place.column);
    last_ = &frame.value.members.emplace_back(std::move(frame.key), std::move(value)).second;
}

Value TreeBuilder::take_root()
{
    open_.clear();
    last_ = &root_;
    return std::exchange(root_, Value{});
}

TreeBuilder::Outcome TreeBuilder::refuse_duplicates(const Value& object) const
{
    // By name, then by place: the second of two equal names is the one to report.
    std::vector<uint32_t> order(object.members.size());
    std::iota(order.begin(), order.end(), 0);
    const auto name = [&object](uint32_t index) -> const std::string& {
        return object.members[index].first;
    };
    std::ranges::stable_sort(order, {}, name);
    const auto equal = std::ranges::adjacent_find(order, {}, name);
    if (equal == order.end())
        return {};
    const uint32_t first = *equal;
    const uint32_t second = *std::next(equal);
    const auto [line, column] = object.key_marks[second];
    return std::unexpected(
        error({line, column}, fmt::format("key \"{}\" stands here and in line {}", name(second),
                                          object.key_marks[first].first)));
}

TreeBuilder::Outcome TreeBuilder::merge_all(Frame& frame)
{
    for (Value& merge : frame.merges) {
        if (merge.kind != Value::Kind::list) {
            if (auto merged = merge_into(frame.value, std::move(merge)); !merged)
                return merged;
            continue;
        }
        for (Value& item : merge.items)
            if (auto merged = merge_into(frame.value, std::move(item)); !merged)
                return merged;
    }
    return {};
}

TreeBuilder::Outcome TreeBuilder::merge_into(Value& object, Value source)
{
    if (source.kind != Value::Kind::object)
        return std::unexpected(error({source.line, source.column},
                                     fmt::format("\"<<\" takes an object or a list of objects, "
                                                 "not {}",
                                                 source.kind_name())));
    std::unordered_set<std::string> names;
    for (const auto& [name, member] : object.members)
        names.insert(name);
    for (size_t i = 0; i < source.members.size(); ++i) {
        if (!names.insert(source.members[i].first).second)
            continue;
        object.members.push_back(std::move(source.members[i]));
        object.key_marks.push_back(source.key_marks[i]);
    }
    return {};
}

} // namespace ebpfd
