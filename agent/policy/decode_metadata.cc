// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_metadata.h"

#include "policy/name_syntax.h"

namespace ebpfd {

std::optional<Field> find_metadata(const Field& root, FieldErrors& errors)
{
    const auto metadata = member(root, "metadata");
    if (!metadata)
        errors.add(root, "metadata.name is required");
    return metadata && check_map(*metadata, errors) ? metadata : std::nullopt;
}

std::string decode_object_name(const Field& metadata, FieldErrors& errors)
{
    const auto field = member(metadata, "name");
    if (!field) {
        errors.add(metadata, "name is required");
        return {};
    }
    const auto name = text_of(*field, errors);
    if (!name)
        return {};
    if (const auto wrong = wrong_dns_subdomain(*name); !wrong.empty())
        errors.add(*field, "\"" + *name + "\" " + std::string(wrong));
    return *name;
}

} // namespace ebpfd
