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

bool decode_mode(const Field& metadata, FieldErrors& errors)
{
    // Metadata is not checked; but an annotation that is lost here would enforce what is to be
    // tried.
    const auto annotations = member(metadata, "annotations");
    if (!annotations || !check_map(*annotations, errors))
        return false;
    const auto field = member(*annotations, "ebpfd.io/mode");
    const auto mode = field ? text_of(*field, errors) : std::nullopt;
    if (mode && *mode != "dry-run" && *mode != "enforce")
        errors.add(*field, "must be dry-run or enforce, is \"" + *mode + "\"");
    return mode == "dry-run";
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
