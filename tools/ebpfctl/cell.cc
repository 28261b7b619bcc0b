// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"

#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

std::string flow_side_text(const Json& side)
{
    std::string text = string_at(side, "/pod");
    std::string ip = string_at(side, "/ip");
    const Json& port = member(side, "/port");
    bool has_port = port.is_number() && port != 0;
    if (!text.empty())
        text = string_at(side, "/namespace") + "/" + text;
    else if (has_port && ip.find(':') != std::string::npos)
        text = "[" + ip + "]";
    else
        text = ip;
    return has_port ? text + ":" + port.dump() : text;
}

std::string list_text(const Json& list)
{
    std::string text;
    for (const Json& item : list)
        text.append(text.empty() ? "" : ",").append(value_text(item));
    return text.empty() ? "-" : text;
}

std::string object_text(const Json& object)
{
    if (object.contains("ip"))
        return flow_side_text(object);
    std::string text;
    for (const auto& [key, value] : object.items())
        text.append(text.empty() ? "" : ",").append(key).append("=").append(value_text(value));
    return text.empty() ? "-" : text;
}

} // namespace

std::string value_text(const Json& value)
{
    switch (value.type()) {
    case Json::value_t::null:
        return "-";
    case Json::value_t::boolean:
        return value.get<bool>() ? "yes" : "no";
    case Json::value_t::string: {
        const auto& text = value.get_ref<const std::string&>();
        return text.empty() ? "-" : text;
    }
    case Json::value_t::array:
        return list_text(value);
    case Json::value_t::object:
        return object_text(value);
    default:
        return value.dump();
    }
}

const Json& member(const Json& row, const std::string& pointer)
{
    static const Json none;
    Json::json_pointer at(pointer);
    return row.contains(at) ? row.at(at) : none;
}

std::string string_at(const Json& row, const std::string& pointer)
{
    const Json& value = member(row, pointer);
    return value.is_string() ? value.get<std::string>() : "";
}

std::string place_text(const Json& row)
{
    std::string file = string_at(row, "/file");
    const Json& line = member(row, "/line");
    if (file.empty())
        return "-";
    return line.is_number() && line != 0 ? fmt::format("{}:{}", file, line.dump()) : file;
}

std::string pod_text(const Json& row)
{
    std::string pod = string_at(row, "/pod");
    return pod.empty() ? "-" : string_at(row, "/namespace") + "/" + pod;
}

std::string enforced_text(const Json& row)
{
    const Json& rule = member(row, "/enforced");
    if (!rule.is_object())
        return "-";
    return fmt::format("{} {} {}", string_at(rule, "/policy"), string_at(rule, "/rule"),
                       place_text(rule));
}

Color color_of(std::string_view word)
{
    if (word == "deny" || word == "degraded" || word == "cut")
        return Color::red;
    if (word == "allow" || word == "ok" || word == "newly-allowed")
        return Color::green;
    return word.starts_with("would-") ? Color::yellow : Color::none;
}

Cell cell_of(const Json& row, const Column& column)
{
    if (column.text != nullptr)
        return {column.text(row), Color::none};
    std::string text = value_text(column.field.empty() ? row : member(row, column.field));
    bool judges = column.field == "/verdict" || column.field == "/action" ||
                  column.field == "/health" || column.field == "/change";
    Color color = judges ? color_of(text) : Color::none;
    return {std::move(text), color};
}

} // namespace ebpfd::ctl
