// SPDX-License-Identifier: Apache-2.0
#include "model/document.h"

#include <algorithm>

namespace ebpfd {

const Value* Value::find(std::string_view name) const
{
    const auto found = std::ranges::find(members, name, &Member::first);
    return found == members.end() ? nullptr : &found->second;
}

std::string_view Value::kind_name() const
{
    switch (kind) {
    case Kind::null:
        return "null";
    case Kind::boolean:
        return "boolean";
    case Kind::integer:
        return "integer";
    case Kind::number:
        return "number";
    case Kind::string:
        return "string";
    case Kind::list:
        return "list";
    case Kind::object:
        return "object";
    }
    return "unknown";
}

std::string FileError::text() const
{
    std::string place = origin.file;
    if (origin.line > 0)
        place.append(":").append(std::to_string(origin.line));
    if (origin.line > 0 && origin.column > 0)
        place.append(":").append(std::to_string(origin.column));
    return place + ": " + reason;
}

} // namespace ebpfd
