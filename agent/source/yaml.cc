// SPDX-License-Identifier: Apache-2.0
#include "source/yaml.h"

#include "source/yaml_events.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <istream>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace ebpfd {

namespace {

// Whether the quoted scalar that begins here, after its tag and anchor, has its closing
// quote; true where no quote begins.
bool is_closed(std::string_view text)
{
    constexpr std::string_view space = " \t\r\n";
    while (text.starts_with('&') || text.starts_with('!')) {
        text.remove_prefix(std::min(text.find_first_of(space), text.size()));
        text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
    }
    if (!text.starts_with('"') && !text.starts_with('\''))
        return true;
    const char quote = text.front();
    for (size_t at = 1; at < text.size(); ++at) {
        const bool doubled = quote == '\'' && text.substr(at).starts_with("''");
        if (doubled || (quote == '"' && text[at] == '\\'))
            ++at;
        else if (text[at] == quote)
            return true;
    }
    return false;
}

// yaml-cpp lets a quoted scalar end with the file if its last line is complete.
std::optional<FileError> unclosed_quote(std::string_view text, const YamlEvents& events)
{
    const YAML::Mark& mark = events.last_quoted();
    if (mark.is_null() || is_closed(text.substr(static_cast<size_t>(mark.pos))))
        return std::nullopt;
    return events.error_at(mark, "the closing quote is missing");
}

std::optional<FileError> run_parser(BoundedInput& input, YamlEvents& events)
{
    try {
        std::istream stream(&input);
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(events)) {
        }
    } catch (const YAML::Exception& failed) {
        return events.error() ? *events.error() : events.error_at(failed.mark, failed.msg);
    } catch (const std::exception& failed) {
        return events.error_at(YAML::Mark::null_mark(), failed.what());
    }
    return std::nullopt;
}

} // namespace

std::expected<std::vector<Value>, FileError> parse_yaml(std::string_view text,
                                                        const std::string& file)
{
    BoundedInput input(text);
    YamlEvents events(text, file, input);
    auto error = run_parser(input, events);
    if (input.ended_early()) // and what the parser made of the rest means nothing
        error = events.error_at(
            events.reached(),
            fmt::format("more than {} MiB lie before the end of one value or list in brackets",
                        BoundedInput::MAX_AHEAD >> 20));
    if (!error)
        error = unclosed_quote(text, events);
    if (error)
        return std::unexpected(*std::move(error));
    return events.take_documents();
}

} // namespace ebpfd
