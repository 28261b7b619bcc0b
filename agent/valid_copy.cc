// SPDX-License-Identifier: Apache-2.0
#include "valid_copy.h"

#include <fmt/format.h>
#include <sstream>

namespace ebpfd {
namespace {

constexpr std::string_view mark = "ebpfd-valid-1";

} // namespace

std::string_view name_of(FolderKind kind)
{
    return kind == FolderKind::policy ? "policy" : "inventory";
}

std::optional<FolderKind> kind_of(std::string_view name)
{
    for (const auto kind : {FolderKind::policy, FolderKind::inventory})
        if (name == name_of(kind))
            return kind;
    return std::nullopt;
}

uint64_t hash_of(std::string_view text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

std::string valid_name(const ValidTexts::Key& key)
{
    return fmt::format("{}-{:016x}", name_of(key.first), hash_of(key.second));
}

std::string valid_head(const ValidTexts::Key& key, const ValidTexts::Copy& copy)
{
    const auto& [kind, path] = key;
    return fmt::format("{} {} {} {} {}\n{}\n", mark, name_of(kind), path.size(), copy.bytes,
                       copy.hash, path);
}

Result<ValidHead> parse_valid_head(std::string_view text)
{
    const size_t line = text.find('\n');
    if (line == std::string_view::npos)
        return fail(0, "it has no head");
    std::istringstream in{std::string(text.substr(0, line))};
    std::string first;
    std::string kind;
    size_t path_bytes = 0;
    ValidHead head;
    in >> first >> kind >> path_bytes >> head.copy.bytes >> head.copy.hash;
    if (!in || first != mark || path_bytes > text.size())
        return fail(0, "its head is not that of a copy");
    head.length = line + 1 + path_bytes + 1;
    if (head.length > text.size() || text[head.length - 1] != '\n')
        return fail(0, "its head is cut");
    const auto known = kind_of(kind);
    if (known)
        head.key = {*known, std::string(text.substr(line + 1, path_bytes))};
    if (head.key.second.empty())
        return fail(0, "its kind is unknown");
    return head;
}

} // namespace ebpfd
