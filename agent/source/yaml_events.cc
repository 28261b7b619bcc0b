// SPDX-License-Identifier: Apache-2.0
#include "source/yaml_events.h"

#include "source/scalar.h"

#include <algorithm>
#include <yaml-cpp/exceptions.h>

namespace ebpfd {

Place place_of(const YAML::Mark& mark)
{
    if (mark.is_null())
        return {};
    return {static_cast<uint32_t>(mark.line) + 1, static_cast<uint32_t>(mark.column) + 1};
}

FileError YamlEvents::error_at(const YAML::Mark& mark, std::string reason) const
{
    return builder_.error(place_of(mark), std::move(reason));
}

void YamlEvents::stop(FileError error)
{
    error_ = std::move(error);
    throw YAML::ParserException(YAML::Mark(), error_->reason);
}

void YamlEvents::check(TreeBuilder::Outcome outcome)
{
    if (!outcome)
        stop(std::move(outcome.error()));
}

std::string_view YamlEvents::rest_from(const YAML::Mark& mark) const
{
    return text_.substr(std::min(static_cast<size_t>(mark.pos), text_.size()));
}

void YamlEvents::reach(const YAML::Mark& mark)
{
    reached_ = mark;
    input_.consumed(static_cast<size_t>(mark.pos));
}

void YamlEvents::OnDocumentStart(const YAML::Mark& mark)
{
    // yaml-cpp takes what follows a complete value for a document of its own; and at some
    // tokens (", ") it would give empty documents for ever.
    if (started_ && !rest_from(mark).starts_with("---"))
        stop(error_at(mark, "text after the end of the document; \"---\" begins another"));
    started_ = true;
    anchors_.clear();
}

void YamlEvents::OnDocumentEnd()
{
    Value root = builder_.take_root();
    if (!root.is_null())
        documents_.push_back(std::move(root));
}

void YamlEvents::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor)
{
    // The event does not carry the text; an omitted value has none.
    for (const char* word : {"~", "null", "Null", "NULL"})
        if (rest_from(mark).starts_with(word))
            return OnScalar(mark, "?", anchor, word);
    OnScalar(mark, "?", anchor, "");
}

void YamlEvents::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                          const std::string& text)
{
    reach(mark);
    if (tag != "?")
        last_quoted_ = mark;
    auto value = resolve_scalar(tag, text);
    if (!value)
        stop(error_at(mark, std::move(value.error())));
    value->line = place_of(mark).line;
    value->column = place_of(mark).column;
    keep(anchor, *value);
    if (builder_.wants_key())
        return add_key(mark, *value, tag == "?" && text == "<<");
    check(builder_.add_scalar(*std::move(value)));
}

void YamlEvents::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor)
{
    reach(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
        stop(error_at(mark, "the alias stands inside the value it refers to"));
    const auto& [value, size] = found->second;
    if (builder_.wants_key())
        return add_key(mark, value, false);
    check(builder_.add(value, size));
}

void YamlEvents::OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                                 YAML::EmitterStyle::value)
{
    open(Value::Kind::list, mark, anchor);
}

void YamlEvents::OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                            YAML::EmitterStyle::value)
{
    open(Value::Kind::object, mark, anchor);
}

// Kubernetes' tools turn keys that are no strings into ones by their meaning.
void YamlEvents::add_key(const YAML::Mark& mark, const Value& key, bool merge)
{
    std::string name = key.string;
    if (key.kind == Value::Kind::boolean)
        name = key.boolean ? "true" : "false";
    else if (key.kind == Value::Kind::integer)
        name = std::to_string(key.integer);
    else if (key.kind != Value::Kind::string && key.kind != Value::Kind::number)
        stop(error_at(mark, "a key must be a string, not " + std::string(key.kind_name())));
    check(builder_.key(std::move(name), place_of(mark), merge));
}

void YamlEvents::open(Value::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor)
{
    reach(mark);
    if (builder_.wants_key()) {
        Value key;
        key.kind = kind;
        return add_key(mark, key, false);
    }
    check(builder_.open(kind, place_of(mark)));
    open_anchors_.push_back(anchor);
}

void YamlEvents::close()
{
    check(builder_.close());
    const YAML::anchor_t anchor = open_anchors_.back();
    open_anchors_.pop_back();
    keep(anchor, builder_.last());
}

// Copies what an anchor names for the aliases to come; the copy counts as part of the file.
void YamlEvents::keep(YAML::anchor_t anchor, const Value& value)
{
    if (anchor == 0)
        return;
    const TreeSize size = size_of_tree(value);
    check(builder_.charge(size.bytes, {value.line, value.column}));
    anchors_[anchor] = {value, size};
}

} // namespace ebpfd
