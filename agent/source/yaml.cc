// SPDX-License-Identifier: Apache-2.0
#include "source/yaml.h"

#include "source/scalar.h"
#include "source/tree_builder.h"

#include <exception>
#include <map>
#include <optional>
#include <span>
#include <spanstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace ebpfd {

namespace {

Place place_of(const YAML::Mark& mark)
{
    if (mark.is_null())
        return {};
    return {static_cast<uint32_t>(mark.line) + 1, static_cast<uint32_t>(mark.column) + 1};
}

// yaml-cpp's events into trees. Its parser can only be stopped by an exception of its own:
// stop() throws one, parse_yaml() catches it.
class YamlEvents : public YAML::EventHandler {
public:
    YamlEvents(std::string_view text, const std::string& file) : text_(text), builder_(file) {}

    std::vector<Value> documents;
    std::optional<FileError> error;

    FileError error_at(const YAML::Mark& mark, std::string reason) const
    {
        return builder_.error(place_of(mark), std::move(reason));
    }

    void OnDocumentStart(const YAML::Mark& mark) override
    {
        // yaml-cpp takes what follows a complete value for a document of its own; and at
        // some tokens (", ") it would give empty documents for ever.
        if (started_ && !text_.substr(static_cast<size_t>(mark.pos)).starts_with("---"))
            stop(error_at(mark, "text after the end of the document; \"---\" begins another"));
        started_ = true;
        anchors_.clear();
    }

    void OnDocumentEnd() override
    {
        Value root = builder_.take_root();
        if (!root.is_null())
            documents.push_back(std::move(root));
    }

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        // The event does not carry the text; an omitted value has none.
        const std::string_view rest = text_.substr(static_cast<size_t>(mark.pos));
        for (const std::string_view word : {"~", "null", "Null", "NULL"})
            if (rest.starts_with(word))
                return OnScalar(mark, "?", anchor, std::string(word));
        OnScalar(mark, "?", anchor, "");
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override
    {
        auto value = resolve_scalar(tag, text);
        if (!value)
            stop(error_at(mark, std::move(value.error())));
        set_place(*value, mark);
        if (builder_.wants_key()) {
            if (anchor != 0)
                anchors_[anchor] = {*value, size_of_tree(*value)};
            return add_key(mark, *value, tag == "?" && text == "<<");
        }
        check(builder_.add_scalar(*std::move(value)));
        keep(anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            stop(error_at(mark, "the alias stands inside the value it refers to"));
        const auto& [value, size] = found->second;
        if (builder_.wants_key())
            return add_key(mark, value, false);
        check(builder_.add(value, size));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override
    {
        open(Value::Kind::list, mark, anchor);
    }

    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override
    {
        open(Value::Kind::object, mark, anchor);
    }

    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

private:
    struct Anchored {
        Value value;
        TreeSize size;
    };

    [[noreturn]] void stop(FileError reason)
    {
        error = std::move(reason);
        throw YAML::ParserException(YAML::Mark(), error->reason);
    }

    void check(TreeBuilder::Outcome outcome)
    {
        if (!outcome)
            stop(std::move(outcome.error()));
    }

    static void set_place(Value& value, const YAML::Mark& mark)
    {
        const Place place = place_of(mark);
        value.line = place.line;
        value.column = place.column;
    }

    // Kubernetes' tools turn keys that are no strings into ones by their meaning.
    void add_key(const YAML::Mark& mark, const Value& key, bool merge)
    {
        std::string name = key.string;
        if (key.kind == Value::Kind::boolean)
            name = key.boolean ? "true" : "false";
        else if (key.kind == Value::Kind::integer)
            name = std::to_string(key.integer);
        else if (key.kind != Value::Kind::string && key.kind != Value::Kind::number)
            stop(error_at(mark, "a key must be a string, not a " + std::string(key.kind_name())));
        check(builder_.key(std::move(name), place_of(mark), merge));
    }

    void open(Value::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor)
    {
        if (builder_.wants_key())
            stop(error_at(mark, kind == Value::Kind::list
                                    ? "a key must be a string, not a list"
                                    : "a key must be a string, not an object"));
        check(builder_.open(kind, place_of(mark)));
        open_anchors_.push_back(anchor);
    }

    void close()
    {
        check(builder_.close());
        const YAML::anchor_t anchor = open_anchors_.back();
        open_anchors_.pop_back();
        keep(anchor);
    }

    // Copies what an anchor names for the aliases to come; it counts as part of the file.
    void keep(YAML::anchor_t anchor)
    {
        if (anchor == 0)
            return;
        const Value& value = builder_.last();
        const TreeSize size = size_of_tree(value);
        check(builder_.charge(size.bytes, {value.line, value.column}));
        anchors_[anchor] = {value, size};
    }

    std::string_view text_;
    TreeBuilder builder_;
    bool started_ = false;
    std::vector<YAML::anchor_t> open_anchors_;
    std::map<YAML::anchor_t, Anchored> anchors_;
};

} // namespace

std::expected<std::vector<Value>, FileError> parse_yaml(std::string_view text,
                                                        const std::string& file)
{
    YamlEvents events(text, file);
    try {
        std::ispanstream stream(std::span<const char>(text.data(), text.size()));
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(events)) {
        }
    } catch (const YAML::Exception& failed) {
        if (!events.error)
            events.error = events.error_at(failed.mark, failed.msg);
    } catch (const std::exception& failed) {
        events.error = events.error_at(YAML::Mark::null_mark(), failed.what());
    }
    if (events.error)
        return std::unexpected(*std::move(events.error));
    return std::move(events.documents);
}

} // namespace ebpfd
