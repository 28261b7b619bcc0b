// SPDX-License-Identifier: Apache-2.0
#include "source/yaml.h"

#include "source/yaml_events.h"

#include <fmt/format.h>
#include <memory>

namespace ebpfd {

namespace {

// libyaml's parser over a text that outlives it.
class YamlParser {
public:
    explicit YamlParser(std::string_view text)
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
    bool next(yaml_event_t& event) { return yaml_parser_parse(&parser_, &event) != 0; }

    Place error_place() const { return place_of(parser_.problem_mark); }
    std::string error_reason() const
    {
        if (parser_.error == YAML_MEMORY_ERROR || parser_.problem == nullptr)
            return "not enough memory to read it";
        if (parser_.context == nullptr || parser_.context_mark.line == parser_.problem_mark.line)
            return parser_.problem;
        return fmt::format("{} {} from line {}", parser_.problem, parser_.context,
                           parser_.context_mark.line + 1);
    }

private:
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
