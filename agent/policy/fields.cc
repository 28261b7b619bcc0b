// SPDX-License-Identifier: Apache-2.0
#include "policy/fields.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace ebpfd {

namespace {

constexpr std::string_view PLAIN =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

std::string path_to(const std::string& parent, std::string_view name)
{
    if (parent.empty())
        return std::string(name);
    if (name.empty() || name.find_first_not_of(PLAIN) != std::string_view::npos)
        return parent + "[\"" + std::string(name) + "\"]";
    return parent + "." + std::string(name);
}

bool require_object(const Field& field, FieldErrors& errors)
{
    if (field.value->kind == Value::Kind::object)
        return true;
    errors.add(field, "must be an object, is " + std::string(kind_with_article(*field.value)));
    return false;
}

// Where the name of the member stands; parsers without marks leave the value's place.
std::pair<uint32_t, uint32_t> key_place(const Value& object, size_t index)
{
    if (index < object.key_marks.size())
        return object.key_marks[index];
    const Value& value = object.members[index].second;
    return {value.line, value.column};
}

template <class Wrong>
void report_keys(const Field& field, std::string_view what, Wrong wrong, FieldErrors& errors)
{
    const auto& all = field.value->members;
    for (size_t index = 0; index < all.size(); ++index) {
        if (!wrong(all[index].first))
            continue;
        const auto [line, column] = key_place(*field.value, index);
        errors.add_at(line, column,
                      std::string(what) + " \"" + path_to(field.path, all[index].first) + "\"");
    }
}

} // namespace

void FieldErrors::add(const Field& field, std::string_view reason)
{
    const std::string path = field.path.empty() ? "" : field.path + ": ";
    add_at(field.value->line, field.value->column, path + std::string(reason));
}

void FieldErrors::add_at(uint32_t line, uint32_t column, std::string reason)
{
    errors_.push_back({{file_, line, column}, std::move(reason)});
}

std::vector<FileError> FieldErrors::take()
{
    std::ranges::stable_sort(errors_, {}, [](const FileError& error) {
        return std::tie(error.origin.line, error.origin.column);
    });
    return std::move(errors_);
}

bool check_map(const Field& field, FieldErrors& errors)
{
    if (!require_object(field, errors))
        return false;
    std::set<std::string_view> seen;
    const auto repeated = [&](const std::string& name) { return !seen.insert(name).second; };
    report_keys(field, "repeated field", repeated, errors);
    return true;
}

bool check_object(const Field& field, std::initializer_list<std::string_view> known,
                  FieldErrors& errors)
{
    if (!check_map(field, errors))
        return false;
    const auto unknown = [&](const std::string& name) {
        return std::ranges::find(known, name) == known.end();
    };
    report_keys(field, "unknown field", unknown, errors);
    return true;
}

std::optional<Field> member(const Field& object, std::string_view name)
{
    for (const auto& [key, value] : object.value->members) {
        if (key == name && value.kind != Value::Kind::null)
            return Field{&value, path_to(object.path, name)};
    }
    return std::nullopt;
}

std::vector<Field> members(const Field& object)
{
    std::vector<Field> result;
    for (const auto& [key, value] : object.value->members)
        result.push_back({&value, path_to(object.path, key)});
    return result;
}

std::vector<Field> items(const Field& list, FieldErrors& errors)
{
    std::vector<Field> result;
    if (list.value->kind != Value::Kind::list) {
        errors.add(list, "must be a list, is " + std::string(kind_with_article(*list.value)));
        return result;
    }
    for (size_t index = 0; index < list.value->items.size(); ++index) {
        Field item{&list.value->items[index], list.path + "[" + std::to_string(index) + "]"};
        if (item.value->kind == Value::Kind::null)
            errors.add(item, "must not be empty");
        else
            result.push_back(std::move(item));
    }
    return result;
}

std::optional<std::string> text_of(const Field& field, FieldErrors& errors)
{
    const Value& value = *field.value;
    if (value.kind == Value::Kind::string)
        return value.string;
    std::string reason = "must be a string, is " + std::string(kind_with_article(value));
    if (value.kind != Value::Kind::list && value.kind != Value::Kind::object)
        reason += ": quote it, \"" + value.string + "\"";
    errors.add(field, reason);
    return std::nullopt;
}

std::string_view kind_with_article(const Value& value)
{
    switch (value.kind) {
    case Value::Kind::null:
        return "empty";
    case Value::Kind::boolean:
        return "a boolean";
    case Value::Kind::integer:
        return "an integer";
    case Value::Kind::number:
        return "a number";
    case Value::Kind::string:
        return "a string";
    case Value::Kind::list:
        return "a list";
    case Value::Kind::object:
        return "an object";
    }
    return "unknown";
}

} // namespace ebpfd
