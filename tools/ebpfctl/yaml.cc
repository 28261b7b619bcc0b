// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/yaml.h"

#include "base/escape.h"

#include <yaml-cpp/yaml.h>

namespace ebpfd::ctl {
namespace {

void emit(YAML::Emitter& yaml, const Json& value);

void emit_object(YAML::Emitter& yaml, const Json& object)
{
    yaml << (object.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
    for (const auto& [key, item] : object.items()) {
        yaml << YAML::Key;
        if (escape_control(key) != key) // yaml-cpp takes some control characters for plain ones
            yaml << YAML::DoubleQuoted;
        yaml << key << YAML::Value;
        emit(yaml, item);
    }
    yaml << YAML::EndMap;
}

void emit_list(YAML::Emitter& yaml, const Json& list)
{
    yaml << (list.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    for (const Json& item : list)
        emit(yaml, item);
    yaml << YAML::EndSeq;
}

void emit(YAML::Emitter& yaml, const Json& value)
{
    if (value.is_object())
        emit_object(yaml, value);
    else if (value.is_array())
        emit_list(yaml, value);
    else if (value.is_string())
        yaml << YAML::DoubleQuoted << value.get<std::string>();
    else if (value.is_null())
        yaml << YAML::Null;
    else if (value.is_boolean())
        yaml << value.get<bool>();
    else if (value.is_number_float())
        yaml << value.dump(); // shortest, where yaml-cpp would print 17 digits
    else if (value.is_number_unsigned())
        yaml << value.get<uint64_t>();
    else
        yaml << value.get<int64_t>();
}

} // namespace

std::string yaml_text(const Json& value)
{
    YAML::Emitter yaml;
    yaml.SetOutputCharset(YAML::EscapeNonAscii);
    emit(yaml, value);
    return yaml.c_str();
}

} // namespace ebpfd::ctl
