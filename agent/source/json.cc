// SPDX-License-Identifier: Apache-2.0
#include "source/json.h"

#include "source/json_cursor.h"
#include "source/scalar.h"
#include "source/tree_builder.h"

#include <exception>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace ebpfd {

namespace {

// nlohmann's message without its own prefix, position and the last token, which may be
// megabytes: "[…] parse error at line 1, column 2: syntax error while … - reason; last read: …".
std::string short_reason(std::string_view message)
{
    if (const size_t at = message.find("; last read"); at != message.npos)
        message = message.substr(0, at);
    if (const size_t at = message.find(": "); at != message.npos)
        message = message.substr(at + 2);
    return std::string(message.substr(0, 256));
}

class JsonEvents : public nlohmann::json_sax<nlohmann::json> {
public:
    JsonEvents(const JsonCursor& cursor, const std::string& file) : cursor_(cursor), builder_(file)
    {
    }

    std::optional<FileError> error;
    Value take_root() { return builder_.take_root(); }
    FileError error_here(std::string reason) const
    {
        return builder_.error(cursor_.last(), std::move(reason));
    }

    bool null() override { return add(Value::Kind::null, "null"); }
    bool boolean(bool value) override
    {
        Value scalar;
        scalar.boolean = value;
        return add(Value::Kind::boolean, value ? "true" : "false", std::move(scalar));
    }
    bool number_integer(number_integer_t value) override
    {
        Value scalar;
        scalar.integer = value;
        scalar.number = static_cast<double>(value);
        return add(Value::Kind::integer, std::to_string(value), std::move(scalar));
    }
    bool number_unsigned(number_unsigned_t value) override
    {
        if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
            return number_integer(static_cast<int64_t>(value));
        return number_float(static_cast<double>(value), std::to_string(value));
    }
    bool number_float(number_float_t number, const string_t& text) override
    {
        Value scalar = value_of_number(number, text);
        const Value::Kind kind = scalar.kind;
        return add(kind, text, std::move(scalar));
    }
    bool string(string_t& text) override { return add(Value::Kind::string, std::move(text)); }
    bool binary(binary_t&) override { return false; } // never in JSON text
    bool start_object(size_t) override
    {
        return check(builder_.open(Value::Kind::object, cursor_.token()));
    }
    bool start_array(size_t) override
    {
        return check(builder_.open(Value::Kind::list, cursor_.token()));
    }
    bool key(string_t& name) override
    {
        return check(builder_.key(std::move(name), cursor_.token()));
    }
    bool end_object() override { return check(builder_.close()); }
    bool end_array() override { return check(builder_.close()); }
    bool parse_error(size_t, const std::string&, const nlohmann::json::exception& failed) override
    {
        error = error_here(short_reason(failed.what()));
        return false;
    }

private:
    bool add(Value::Kind kind, std::string text, Value scalar = {})
    {
        scalar.kind = kind;
        scalar.string = std::move(text);
        scalar.line = cursor_.token().line;
        scalar.column = cursor_.token().column;
        return check(builder_.add_scalar(std::move(scalar)));
    }

    bool check(TreeBuilder::Outcome outcome)
    {
        if (!outcome)
            error = std::move(outcome.error());
        return !error.has_value();
    }

    const JsonCursor& cursor_;
    TreeBuilder builder_;
};

void skip_space(JsonCursor& cursor)
{
    while (!cursor.at_end() && std::string_view(" \t\r\n").contains(cursor.peek()))
        cursor.advance();
}

} // namespace

std::expected<std::vector<Value>, FileError> parse_json(std::string_view text,
                                                        const std::string& file)
{
    JsonCursor cursor(text);
    JsonEvents events(cursor, file);
    std::vector<Value> values;
    try {
        for (skip_space(cursor); !cursor.at_end(); skip_space(cursor)) {
            constexpr bool to_the_end = false;
            if (!nlohmann::json::sax_parse(JsonInput(cursor), JsonInput(), &events,
                                           nlohmann::json::input_format_t::json, to_the_end))
                break;
            if (Value root = events.take_root(); !root.is_null())
                values.push_back(std::move(root));
        }
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& failed) {
        events.error = events.error_here(failed.what());
    }
    if (events.error)
        return std::unexpected(*std::move(events.error));
    return values;
}

} // namespace ebpfd
