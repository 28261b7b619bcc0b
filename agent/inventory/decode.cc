// SPDX-License-Identifier: Apache-2.0
#include "inventory/decode.h"

#include "inventory/decode_kinds.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace ebpfd {

namespace {

struct KnownKind {
    std::string_view api_version;
    std::string_view kind;
    InventoryObject (*decode)(const ObjectField& root);
};

template <auto decode> InventoryObject decode_as(const ObjectField& root)
{
    return decode(root);
}

constexpr std::array known_kinds{
    KnownKind{"v1", "Pod", decode_as<decode_pod>},
    KnownKind{"v1", "Namespace", decode_as<decode_namespace>},
    KnownKind{"v1", "Service", decode_as<decode_service>},
    KnownKind{"discovery.k8s.io/v1", "EndpointSlice", decode_as<decode_endpoint_slice>},
    KnownKind{"v1", "Node", decode_as<decode_node>},
};

const KnownKind* find_kind(std::string_view api_version, std::string_view kind)
{
    auto known = std::ranges::find_if(known_kinds, [&](const KnownKind& one) {
        return one.api_version == api_version && one.kind == kind;
    });
    return known == known_kinds.end() ? nullptr : &*known;
}

} // namespace

bool is_inventory_kind(std::string_view api_version, std::string_view kind)
{
    return find_kind(api_version, kind) != nullptr;
}

std::expected<InventoryObject, std::vector<FileError>> decode_inventory(const Document& document)
{
    std::vector<FileError> errors;
    const ObjectField root = ObjectField::root(document, errors);
    const KnownKind* known = find_kind(document.api_version, document.kind);
    if (!known) {
        root.complain(fmt::format("is a {} of {}, which is no inventory kind", document.kind,
                                  document.api_version));
        return std::unexpected(std::move(errors));
    }
    InventoryObject object = known->decode(root);
    if (errors.empty() && root["metadata"]["name"].string().empty())
        root.complain("has no metadata.name");
    if (!errors.empty())
        return std::unexpected(std::move(errors));
    return object;
}

} // namespace ebpfd
