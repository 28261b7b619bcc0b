// SPDX-License-Identifier: Apache-2.0
#include "yaml_document.h"

#include <charconv>
#include <yaml-cpp/yaml.h>

using ebpfd::Value;

namespace {

Value scalar(const YAML::Node& node)
{
    Value value;
    value.kind = Value::Kind::string;
    value.string = node.Scalar();
    const std::string& text = value.string;
    if (node.Tag() == "!") // in quotes
        return value;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value.integer);
    if (text == "true" || text == "false") {
        value.kind = Value::Kind::boolean;
        value.boolean = text == "true";
    } else if (error == std::errc{} && end == text.data() + text.size()) {
        value.kind = Value::Kind::integer;
    }
    return value;
}

Value convert(const YAML::Node& node)
{
    Value value;
    if (node.IsScalar())
        value = scalar(node);
    value.line = static_cast<uint32_t>(node.Mark().line + 1);
    value.column = static_cast<uint32_t>(node.Mark().column + 1);
    if (node.IsSequence()) {
        value.kind = Value::Kind::list;
        for (const YAML::Node& item : node)
            value.items.push_back(convert(item));
    } else if (node.IsMap()) {
        value.kind = Value::Kind::object;
        for (const auto& member : node)
            value.members.emplace_back(member.first.Scalar(), convert(member.second));
    }
    return value;
}

} // namespace

ebpfd::Document yaml_document(const std::string& text)
{
    const YAML::Node node = YAML::Load(text);
    return {.api_version = node["apiVersion"].as<std::string>(""),
            .kind = node["kind"].as<std::string>(""),
            .root = convert(node),
            .file = "test.yaml"};
}
