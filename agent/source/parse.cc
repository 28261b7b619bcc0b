// SPDX-License-Identifier: Apache-2.0
#include "source/parse.h"

#include "source/json.h"
#include "source/text_check.h"
#include "source/yaml.h"

#include <fmt/format.h>

namespace ebpfd {

namespace {

using Documents = std::vector<Document>;
using Outcome = std::expected<void, FileError>;

// apiVersion and kind that a typed list implies for items that leave them out.
struct TypeMeta {
    std::string api_version;
    std::string kind;
};

std::unexpected<FileError> refuse(const std::string& file, const Value& at, std::string reason)
{
    return std::unexpected(FileError{{file, at.line, at.column}, std::move(reason)});
}

std::expected<std::string, FileError> string_member(const Value& object, std::string_view name,
                                                    const std::string& implied,
                                                    const std::string& file)
{
    const Value* member = object.find(name);
    if (member == nullptr || member->is_null()) {
        if (implied.empty())
            return refuse(file, object, fmt::format("\"{}\" is missing", name));
        return implied;
    }
    if (member->kind != Value::Kind::string)
        return refuse(file, *member,
                      fmt::format("\"{}\" must be a string, not {}", name, member->kind_name()));
    if (member->string.empty())
        return refuse(file, *member, fmt::format("\"{}\" is empty", name));
    return member->string;
}

Outcome add_object(Documents& documents, Value object, const TypeMeta& implied,
                   const std::string& file);

Outcome add_items(Documents& documents, Value& items, const TypeMeta& list, const std::string& file)
{
    if (items.kind != Value::Kind::list && !items.is_null())
        return refuse(file, items,
                      fmt::format("\"items\" must be a list, not {}", items.kind_name()));
    TypeMeta implied;
    if (list.kind != "List")
        implied = {list.api_version, list.kind.substr(0, list.kind.size() - 4)};
    for (Value& item : items.items)
        if (auto added = add_object(documents, std::move(item), implied, file); !added)
            return added;
    return {};
}

Outcome add_object(Documents& documents, Value object, const TypeMeta& implied,
                   const std::string& file)
{
    if (object.kind != Value::Kind::object)
        return refuse(file, object,
                      fmt::format("a Kubernetes object is wanted, not {}", object.kind_name()));
    auto api_version = string_member(object, "apiVersion", implied.api_version, file);
    if (!api_version)
        return std::unexpected(std::move(api_version.error()));
    auto kind = string_member(object, "kind", implied.kind, file);
    if (!kind)
        return std::unexpected(std::move(kind.error()));
    if (kind->ends_with("List"))
        for (auto& [name, member] : object.members)
            if (name == "items")
                return add_items(documents, member, {*api_version, *kind}, file);
    documents.push_back({*std::move(api_version), *std::move(kind), std::move(object), file});
    return {};
}

// As Kubernetes' tools do, text that begins like JSON is tried as JSON first: the faster parser.
std::expected<std::vector<Value>, FileError> parse_values(std::string_view text,
                                                          const std::string& file)
{
    if (file.ends_with(".json"))
        return parse_json(text, file);
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first != text.npos && text[first] == '{')
        if (auto values = parse_json(text, file))
            return values;
    return parse_yaml(text, file);
}

} // namespace

std::expected<Documents, FileError> parse_documents(std::string_view text, const std::string& file)
{
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark))
        text.remove_prefix(byte_order_mark.size());
    if (auto bad = check_text(text, file))
        return std::unexpected(*std::move(bad));
    auto roots = parse_values(text, file);
    if (!roots)
        return std::unexpected(std::move(roots.error()));
    Documents documents;
    for (Value& root : *roots)
        if (auto added = add_object(documents, std::move(root), {}, file); !added)
            return std::unexpected(std::move(added.error()));
    return documents;
}

} // namespace ebpfd
