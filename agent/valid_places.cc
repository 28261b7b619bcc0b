// SPDX-License-Identifier: Apache-2.0
#include "valid_places.h"

#include "valid_copy.h"

#include <fmt/format.h>
#include <iterator>
#include <sstream>

namespace ebpfd {
namespace {

constexpr std::string_view mark = "ebpfd-folders-1";

// One folder; takes it off the text. Nothing if it is not as it should be.
std::optional<std::pair<ValidTexts::Key, DirectoryPlace>> take_place(std::string_view& text)
{
    const size_t line = text.find('\n');
    if (line == std::string_view::npos)
        return std::nullopt;
    std::istringstream in{std::string(text.substr(0, line))};
    std::string kind;
    size_t path_bytes = 0;
    DirectoryPlace place;
    in >> kind >> place.device >> place.inode >> place.born_ns >> path_bytes;
    const auto known = kind_of(kind);
    text.remove_prefix(line + 1);
    if (!in || !known || path_bytes >= text.size() || text[path_bytes] != '\n')
        return std::nullopt;
    ValidTexts::Key key{*known, std::string(text.substr(0, path_bytes))};
    text.remove_prefix(path_bytes + 1);
    return std::pair(std::move(key), place);
}

} // namespace

std::string text_of(const ValidTexts::Places& places)
{
    std::string body;
    for (const auto& [key, place] : places)
        fmt::format_to(std::back_inserter(body), "{} {} {} {} {}\n{}\n", name_of(key.first),
                       place.device, place.inode, place.born_ns, key.second.size(), key.second);
    return fmt::format("{} {} {}\n{}", mark, places.size(), hash_of(body), body);
}

Result<ValidTexts::Places> parse_places(std::string_view text)
{
    const size_t line = text.find('\n');
    if (line == std::string_view::npos)
        return fail(0, "it has no head");
    std::istringstream in{std::string(text.substr(0, line))};
    std::string first;
    size_t count = 0;
    uint64_t hash = 0;
    in >> first >> count >> hash;
    text.remove_prefix(line + 1);
    if (!in || first != mark || hash != hash_of(text))
        return fail(0, "it is damaged");
    ValidTexts::Places places;
    while (!text.empty()) {
        auto place = take_place(text);
        if (!place)
            return fail(0, "it is damaged");
        places.insert(*std::move(place));
    }
    if (places.size() != count)
        return fail(0, "it is damaged");
    return places;
}

} // namespace ebpfd
