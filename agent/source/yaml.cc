// SPDX-License-Identifier: Apache-2.0
#include "source/yaml.h"

#include "source/yaml_events.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace ebpfd {

namespace {

size_t count(std::string_view text, std::string_view what)
{
    size_t found = 0;
    for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + what.size()))
        ++found;
    return found;
}

// By all breaks of YAML 1.1: CR, LF, both, and Unicode's own. At least one.
uint32_t count_lines(std::string_view text)
{
    size_t lines = 1 - count(text, "\r\n");
    for (const char* line_break : {"\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"})
        lines += count(text, line_break);
    const bool ended = text.ends_with('\n') || text.ends_with('\r');
    return static_cast<uint32_t>(ended && lines > 1 ? lines - 1 : lines);
}

// libyaml's parser over a text that outlives it.
class YamlParser {
public:
    explicit YamlParser(std::string_view text) : text_(text)
    {
        if (yaml_parser_initialize(&parser_) == 0)
            throw std::bad_alloc();
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size());
    }
    ~YamlParser() { yaml_parser_delete(&parser_); }
    YamlParser(const YamlParser&) = delete;
    YamlParser& operator=(const YamlParser&) = delete;

    // The next event, which the caller deletes; false at an error.
    bool next(yaml_event_t& event)
    {
        const bool good = yaml_parser_parse(&parser_, &event) != 0;
        if (!good && parser_.error == YAML_MEMORY_ERROR)
            throw std::bad_alloc();
        return good;
    }

    // Behind the end it counts a line that is not there.
    Place error_place() const
    {
        const Place place = place_of(parser_.problem_mark);
        const uint32_t last = count_lines(text_);
        return place.line > last ? Place{last, 1} : place;
    }
    std::string error_reason() const
    {
        if (parser_.problem == nullptr)
            return "it cannot be read";
        if (parser_.context == nullptr || parser_.context_mark.line == parser_.problem_mark.line)
            return parser_.problem;
        return fmt::format("{} {} from line {}", parser_.problem, parser_.context,
                           parser_.context_mark.line + 1);
    }

private:
    std::string_view text_;
    yaml_parser_t parser_{};
};

struct EventDeleter {
    void operator()(yaml_event_t* event) const { yaml_event_delete(event); }
};

} // namespace

std::expected<std::vector<Value>, FileError> parse_yaml(std::string_view text,
                                                        const std::string& file)
{
    YamlParser parser(text);
    YamlEvents events(file);
    for (bool ended = false; !ended;) {
        yaml_event_t event{};
        if (!parser.next(event)) {
            const Place place = parser.error_place();
            return std::unexpected(
                FileError{{file, place.line, place.column}, parser.error_reason()});
        }
        const std::unique_ptr<yaml_event_t, EventDeleter> owner(&event);
        if (auto taken = events.take(event); !taken)
            return std::unexpected(std::move(taken.error()));
        ended = event.type == YAML_STREAM_END_EVENT;
    }
    return events.take_documents();
}

} // namespace ebpfd
