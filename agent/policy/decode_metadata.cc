// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_metadata.h"

#include "policy/name_syntax.h"

namespace ebpfd {

namespace {

constexpr std::string_view OWN_ANNOTATIONS = "ebpfd.io/";
constexpr std::string_view MODE = "ebpfd.io/mode";

} // namespace

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
    std::optional<std::string> mode;
    for (const auto& [name, value] : annotations->value->members) {
        const Field field{&value, annotations->path + "." + name};
        if (name == MODE)
            mode = text_of(field, errors);
        else if (name.starts_with(OWN_ANNOTATIONS))
            errors.add(field,
                       "ebpfd knows no such annotation of a policy, only " + std::string(MODE));
        if (name == MODE && mode && *mode != "dry-run" && *mode != "enforce")
            errors.add(field, "must be dry-run or enforce, is \"" + *mode + "\"");
    }
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
