// SPDX-License-Identifier: Apache-2.0
#include "inventory/object_field.h"

#include <algorithm>
#include <fmt/format.h>

namespace ebpfd {

ObjectField ObjectField::root(const Document& document, std::vector<FileError>& errors)
{
    return {&document.root, "", document.file, errors};
}

ObjectField ObjectField::operator[](std::string_view name) const
{
    const Value* member = nullptr;
    if (present() && has_kind(Value::Kind::object, "an object"))
        member = value_->find(name);
    return {member, path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name), *file_,
            *errors_};
}

std::vector<ObjectField> ObjectField::items() const
{
    std::vector<ObjectField> found;
    if (!present() || !has_kind(Value::Kind::list, "a list"))
        return found;
    for (const Value& item : value_->items)
        found.push_back(
            ObjectField(&item, fmt::format("{}[{}]", path_, found.size()), *file_, *errors_));
    return found;
}

std::string ObjectField::string() const
{
    if (!present() || !has_kind(Value::Kind::string, "a string"))
        return {};
    return value_->string;
}

bool ObjectField::boolean(bool fallback) const
{
    if (!present() || !has_kind(Value::Kind::boolean, "true or false"))
        return fallback;
    return value_->boolean;
}

Labels ObjectField::string_map() const
{
    Labels found;
    if (!present() || !has_kind(Value::Kind::object, "an object"))
        return found;
    for (const auto& [key, value] : value_->members)
        found[key] =
            ObjectField(&value, fmt::format("{}[\"{}\"]", path_, key), *file_, *errors_).string();
    return found;
}

std::optional<uint16_t> ObjectField::port() const
{
    if (!present() || !has_kind(Value::Kind::integer, "a number"))
        return std::nullopt;
    if (value_->integer < 1 || value_->integer > 65535) {
        complain("must lie between 1 and 65535");
        return std::nullopt;
    }
    return static_cast<uint16_t>(value_->integer);
}

std::optional<IpAddress> ObjectField::address() const
{
    const std::string text = string();
    if (text.empty())
        return std::nullopt;
    auto parsed = IpAddress::parse(text);
    if (!parsed)
        complain(fmt::format("\"{}\" is not an IP address", text));
    return parsed;
}

std::optional<Protocol> ObjectField::protocol() const
{
    const std::string text = string();
    if (text.empty() || text == "TCP")
        return Protocol::tcp;
    if (text == "UDP")
        return Protocol::udp;
    if (text == "SCTP")
        return Protocol::sctp;
    return std::nullopt;
}

Origin ObjectField::origin() const
{
    return {*file_, value_ ? value_->line : 0, value_ ? value_->column : 0};
}

void ObjectField::complain(std::string reason) const
{
    FileError error{origin(), fmt::format("{} {}", path_.empty() ? "the object" : path_, reason)};
    if (std::ranges::find(*errors_, error) == errors_->end())
        errors_->push_back(std::move(error));
}

bool ObjectField::has_kind(Value::Kind wanted, std::string_view name) const
{
    if (value_->kind == wanted)
        return true;
    const bool scalar = value_->kind != Value::Kind::list && value_->kind != Value::Kind::object;
    std::string reason = fmt::format("must be {}, found {}", name, value_->kind_name());
    if (wanted == Value::Kind::string && scalar)
        reason += fmt::format(": write it in quotes, \"{}\"", value_->string);
    complain(std::move(reason));
    return false;
}

} // namespace ebpfd
