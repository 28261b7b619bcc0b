// SPDX-License-Identifier: Apache-2.0
#include "fuzz/documents.h"

#include "fuzz/target.h"
#include "property/scenario.h"
#include "source/parse.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>

using namespace ebpfd;

namespace fuzz {
namespace {

using Json = nlohmann::ordered_json;

void expect_place(const FileError& error, std::string_view text)
{
    const auto lines = static_cast<size_t>(std::ranges::count(text, '\n')) + 1;
    // The other breaks of YAML 1.1; a byte of Unicode's own is enough to bound them.
    const auto is_break = [](char c) { return c == '\r' || c == '\xc2' || c == '\xe2'; };
    const auto returns = static_cast<size_t>(std::ranges::count_if(text, is_break));
    expect(error.origin.file.starts_with("file."), "an error names its file");
    expect(error.origin.line >= 1 && error.origin.line <= lines + returns,
           fmt::format("an error names its line: {}", error.text()));
    expect(error.origin.column >= 1, fmt::format("an error names its column: {}", error.text()));
    expect(!error.reason.empty(), "an error gives a reason");
}

// Nothing where JSON has no word for a number in it.
std::optional<Json> to_json(const Value& value)
{
    switch (value.kind) {
    case Value::Kind::null:
        return Json(nullptr);
    case Value::Kind::boolean:
        return Json(value.boolean);
    case Value::Kind::integer:
        return Json(value.integer);
    case Value::Kind::number:
        return std::isfinite(value.number) ? std::optional(Json(value.number)) : std::nullopt;
    case Value::Kind::string:
        return Json(value.string);
    case Value::Kind::list: {
        Json list = Json::array();
        for (const Value& item : value.items) {
            auto json = to_json(item);
            if (!json)
                return std::nullopt;
            list.push_back(std::move(*json));
        }
        return list;
    }
    case Value::Kind::object: {
        Json object = Json::object();
        for (const auto& [name, member] : value.members) {
            auto json = to_json(member);
            if (!json)
                return std::nullopt;
            object[name] = std::move(*json);
        }
        return object;
    }
    }
    return std::nullopt;
}

// One JSON value for each document; what a list implies for its items is written out.
std::optional<std::string> to_json(const std::vector<Document>& documents)
{
    std::string text;
    for (const Document& document : documents) {
        auto json = to_json(document.root);
        if (!json)
            return std::nullopt;
        (*json)["apiVersion"] = document.api_version;
        (*json)["kind"] = document.kind;
        text += json->dump() + "\n";
    }
    return text;
}

std::string describe(const FileContent& content)
{
    World world;
    put(world, content);
    return fmt::format("{}errors: {}\nnotes: {}\n", property::describe(world),
                       content.errors.size(), content.notes.size());
}

FileContent decode(const std::vector<Document>& documents, std::string_view text, FolderKind kind)
{
    FileContent content = decode_documents(documents, kind);
    for (const FileError& error : content.errors)
        expect_place(error, text);
    return content;
}

void read_again(const std::vector<Document>& documents, const FileContent& content, FolderKind kind)
{
    const auto text = to_json(documents);
    if (!text)
        return;
    const auto again = parse_documents(*text, "file.json");
    expect(again.has_value(), "what was read and written down can be read");
    expect_equal(describe(content), describe(decode(*again, *text, kind)),
                 "what was read and written down reads the same");
}

} // namespace

void put(World& world, const FileContent& content)
{
    const Objects& objects = content.objects;
    world.policies = objects.policies;
    world.cluster_policies = objects.cluster_policies;
    world.pods = objects.pods;
    world.namespaces = objects.namespaces;
    world.services = objects.services;
    world.slices = objects.slices;
    world.nodes = objects.nodes;
}

FileContent read_twice(std::string_view text, FolderKind kind)
{
    const auto documents = parse_documents(text, "file.yaml");
    if (!documents) {
        expect_place(documents.error(), text);
        return {};
    }
    FileContent content = decode(*documents, text, kind);
    read_again(*documents, content, kind);
    return content.errors.empty() ? content : FileContent{};
}

} // namespace fuzz
