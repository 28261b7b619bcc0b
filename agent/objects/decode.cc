// SPDX-License-Identifier: Apache-2.0
#include "objects/decode.h"

#include "inventory/decode.h"
#include "policy/cluster_policy.h"
#include "policy/network_policy.h"

#include <fmt/format.h>
#include <tuple>

namespace ebpfd {
namespace {

template <class T> void keep(Objects& objects, T object)
{
    const auto lists =
        std::tie(objects.policies, objects.cluster_policies, objects.pods, objects.namespaces,
                 objects.services, objects.slices, objects.nodes);
    std::get<std::vector<std::shared_ptr<const T>>&>(lists).push_back(
        std::make_shared<T>(std::move(object)));
}

template <class T> void take(FileContent& content, std::expected<T, std::vector<FileError>> decoded)
{
    if (!decoded) {
        content.errors.insert(content.errors.end(), decoded.error().begin(), decoded.error().end());
        return;
    }
    if constexpr (std::is_same_v<T, InventoryObject>)
        std::visit([&]<class O>(O&& object) { keep(content.objects, std::forward<O>(object)); },
                   std::move(*decoded));
    else {
        if constexpr (std::is_same_v<T, ClusterPolicy>)
            content.notes.insert(content.notes.end(), decoded->notes.begin(), decoded->notes.end());
        keep(content.objects, std::move(*decoded));
    }
}

std::string skipped(const Document& document, FolderKind folder)
{
    const auto& [version, kind] = std::tie(document.api_version, document.kind);
    const std::string what =
        fmt::format("{}:{}: {} of {}", document.file, document.root.line, kind, version);
    if (is_policy_kind(version, kind) || is_cluster_policy_kind(version, kind))
        return what + " is skipped: it belongs in a policy folder";
    if (is_inventory_kind(version, kind))
        return what + " is skipped: it belongs in an inventory folder";
    if (folder == FolderKind::policy && is_foreign_policy_kind(version, kind))
        return what + " is not enforced: this agent does not know it";
    return what + " is skipped: it is not for this agent";
}

} // namespace

FileContent decode_documents(const std::vector<Document>& documents, FolderKind kind)
{
    FileContent content;
    for (const auto& document : documents) {
        const auto& [version, name] = std::tie(document.api_version, document.kind);
        if (kind == FolderKind::policy && is_policy_kind(version, name))
            take(content, decode_network_policy(document));
        else if (kind == FolderKind::policy && is_cluster_policy_kind(version, name))
            take(content, decode_cluster_policy(document));
        else if (const auto misnamed = misnamed_policy(document);
                 misnamed && kind == FolderKind::policy)
            content.errors.push_back(*misnamed);
        else if (kind == FolderKind::inventory && is_inventory_kind(version, name))
            take(content, decode_inventory(document));
        else
            content.notes.push_back(skipped(document, kind));
    }
    return content;
}

} // namespace ebpfd
