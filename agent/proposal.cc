// SPDX-License-Identifier: Apache-2.0
#include "proposal.h"

#include <nlohmann/json.hpp>

namespace ebpfd {
namespace {

using Json = nlohmann::ordered_json;

std::optional<std::vector<std::string>> strings_of(const Json& list)
{
    std::vector<std::string> out;
    if (!list.is_array())
        return std::nullopt;
    for (const Json& item : list) {
        if (!item.is_string())
            return std::nullopt;
        out.push_back(item.get<std::string>());
    }
    return out;
}

std::optional<Proposal::File> file_of(const Json& file)
{
    if (!file.is_object() || !file.contains("name") || !file.contains("text") ||
        !file["name"].is_string() || !file["text"].is_string())
        return std::nullopt;
    return Proposal::File{file["name"].get<std::string>(), file["text"].get<std::string>()};
}

} // namespace

std::optional<Proposal> parse_proposal(std::string_view body)
{
    const Json json = Json::parse(body, nullptr, false);
    if (!json.is_object())
        return std::nullopt;
    Proposal proposal;
    for (const Json& item : json.value("files", Json::array())) {
        const auto file = file_of(item);
        if (!file)
            return std::nullopt;
        proposal.files.push_back(*file);
    }
    auto remove = strings_of(json.value("remove", Json::array()));
    if (!remove)
        return std::nullopt;
    proposal.remove = std::move(*remove);
    return proposal;
}

} // namespace ebpfd
