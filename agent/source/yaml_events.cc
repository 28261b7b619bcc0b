// SPDX-License-Identifier: Apache-2.0
#include "source/yaml_events.h"

#include "source/scalar.h"

#include <fmt/format.h>

namespace ebpfd {

namespace {

std::string text_of(const yaml_char_t* text)
{
    return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

std::string tag_of(const yaml_event_t& event)
{
    if (event.data.scalar.tag != nullptr)
        return text_of(event.data.scalar.tag);
    return event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? "?" : "!";
}

} // namespace

Place place_of(const yaml_mark_t& mark)
{
    return {static_cast<uint32_t>(mark.line) + 1, static_cast<uint32_t>(mark.column) + 1};
}

YamlEvents::Outcome YamlEvents::take(const yaml_event_t& event)
{
    const Place place = place_of(event.start_mark);
    switch (event.type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(event);
    case YAML_ALIAS_EVENT:
        return take_alias(event);
    case YAML_SEQUENCE_START_EVENT:
        return open(Value::Kind::list, place, event.data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return open(Value::Kind::object, place, event.data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close();
    case YAML_DOCUMENT_START_EVENT:
        anchors_.clear();
        return {};
    case YAML_DOCUMENT_END_EVENT:
        end_document();
        return {};
    default:
        return {};
    }
}

void YamlEvents::end_document()
{
    Value root = builder_.take_root();
    if (!root.is_null())
        documents_.push_back(std::move(root));
}

YamlEvents::Outcome YamlEvents::take_scalar(const yaml_event_t& event)
{
    const auto& scalar = event.data.scalar;
    const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    const std::string tag = tag_of(event);
    const Place place = place_of(event.start_mark);
    auto value = resolve_scalar(tag, text);
    if (!value)
        return std::unexpected(builder_.error(place, std::move(value.error())));
    value->line = place.line;
    value->column = place.column;
    if (auto kept = keep(text_of(scalar.anchor), *value); !kept)
        return kept;
    if (builder_.wants_key())
        return add_key(place, *value, tag == "?" && text == "<<");
    return builder_.add_scalar(*std::move(value));
}

YamlEvents::Outcome YamlEvents::take_alias(const yaml_event_t& event)
{
    const Place place = place_of(event.start_mark);
    const auto found = anchors_.find(text_of(event.data.alias.anchor));
    if (found == anchors_.end())
        return std::unexpected(
            builder_.error(place, fmt::format("there is no anchor \"{}\" before its alias",
                                              text_of(event.data.alias.anchor))));
    if (!found->second)
        return std::unexpected(
            builder_.error(place, "the alias stands inside the value it refers to"));
    const auto& [value, size] = *found->second;
    if (builder_.wants_key())
        return add_key(place, value, false);
    return builder_.add(value, size);
}

// Kubernetes' tools turn keys that are no strings into ones by their meaning.
YamlEvents::Outcome YamlEvents::add_key(Place place, const Value& key, bool merge)
{
    std::string name = key.string;
    if (key.kind == Value::Kind::boolean)
        name = key.boolean ? "true" : "false";
    else if (key.kind == Value::Kind::integer)
        name = std::to_string(key.integer);
    else if (key.kind != Value::Kind::string && key.kind != Value::Kind::number)
        return std::unexpected(
            builder_.error(place, "a key must be a string, not " + std::string(key.kind_name())));
    return builder_.key(std::move(name), place, merge);
}

YamlEvents::Outcome YamlEvents::open(Value::Kind kind, Place place, const yaml_char_t* anchor)
{
    if (builder_.wants_key()) {
        Value key;
        key.kind = kind;
        return add_key(place, key, false);
    }
    if (anchor != nullptr)
        anchors_[text_of(anchor)] = std::nullopt;
    open_anchors_.push_back(text_of(anchor));
    return builder_.open(kind, place);
}

YamlEvents::Outcome YamlEvents::close()
{
    if (auto closed = builder_.close(); !closed)
        return closed;
    const std::string anchor = std::move(open_anchors_.back());
    open_anchors_.pop_back();
    return keep(anchor, builder_.last());
}

// Copies what an anchor names for the aliases to come; the copy counts as part of the file.
YamlEvents::Outcome YamlEvents::keep(const std::string& anchor, const Value& value)
{
    if (anchor.empty())
        return {};
    const TreeSize size = size_of_tree(value);
    if (auto charged = builder_.charge(size.bytes, {value.line, value.column}); !charged)
        return charged;
    anchors_[anchor] = {value, size};
    return {};
}

} // namespace ebpfd
