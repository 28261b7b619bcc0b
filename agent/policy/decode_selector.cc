// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_selector.h"

#include "policy/name_syntax.h"

#include <algorithm>

namespace ebpfd {

namespace {

void check_key(const Field& at, const std::string& key, FieldErrors& errors)
{
    if (const auto wrong = wrong_label_key(key); !wrong.empty())
        errors.add(at, "label key \"" + key + "\" " + std::string(wrong));
}

std::string label_value(const Field& field, FieldErrors& errors)
{
    const auto value = text_of(field, errors);
    if (!value)
        return {};
    if (const auto wrong = wrong_label_value(*value); !wrong.empty())
        errors.add(field, "label value \"" + *value + "\" " + std::string(wrong));
    return *value;
}

void add_labels(const Field& field, Selector& result, FieldErrors& errors)
{
    if (!check_map(field, errors))
        return;
    const auto labels = members(field);
    for (size_t index = 0; index < labels.size(); ++index) {
        const std::string& key = field.value->members[index].first;
        check_key(labels[index], key, errors);
        result.requirements.push_back({.key = key,
                                       .op = Requirement::Operator::in,
                                       .values = {label_value(labels[index], errors)}});
    }
}

std::optional<Requirement::Operator> decode_operator(const Field& expression, FieldErrors& errors)
{
    using Operator = Requirement::Operator;
    const auto field = member(expression, "operator");
    if (!field) {
        errors.add(expression, "operator is required");
        return std::nullopt;
    }
    const auto name = text_of(*field, errors);
    if (!name)
        return std::nullopt;
    if (*name == "In")
        return Operator::in;
    if (*name == "NotIn")
        return Operator::not_in;
    if (*name == "Exists")
        return Operator::exists;
    if (*name == "DoesNotExist")
        return Operator::does_not_exist;
    errors.add(*field, "must be In, NotIn, Exists or DoesNotExist, is \"" + *name + "\"");
    return std::nullopt;
}

std::vector<std::string> decode_values(const Field& expression, FieldErrors& errors)
{
    std::vector<std::string> result;
    const auto field = member(expression, "values");
    if (!field)
        return result;
    for (const Field& item : items(*field, errors))
        result.push_back(label_value(item, errors));
    std::ranges::sort(result);
    const auto rest = std::ranges::unique(result);
    result.erase(rest.begin(), rest.end());
    return result;
}

void check_values(const Field& expression, const Requirement& requirement, FieldErrors& errors)
{
    const bool needs_values = requirement.op == Requirement::Operator::in ||
                              requirement.op == Requirement::Operator::not_in;
    const auto field = member(expression, "values");
    const bool given =
        field && (field->value->kind != Value::Kind::list || !field->value->items.empty());
    if (needs_values && !given)
        errors.add(field.value_or(expression), "In and NotIn need at least one value");
    if (!needs_values && given)
        errors.add(*field, "Exists and DoesNotExist must have no values");
}

void add_expression(const Field& field, Selector& result, FieldErrors& errors)
{
    if (!check_object(field, {"key", "operator", "values"}, errors))
        return;
    Requirement requirement;
    if (const auto key = member(field, "key")) {
        requirement.key = text_of(*key, errors).value_or("");
        if (key->value->kind == Value::Kind::string)
            check_key(*key, requirement.key, errors);
    } else {
        errors.add(field, "key is required");
    }
    requirement.values = decode_values(field, errors);
    if (const auto op = decode_operator(field, errors)) {
        requirement.op = *op;
        check_values(field, requirement, errors);
    }
    result.requirements.push_back(std::move(requirement));
}

} // namespace

Selector decode_selector(const Field& field, FieldErrors& errors)
{
    Selector result;
    if (!check_object(field, {"matchLabels", "matchExpressions"}, errors))
        return result;
    if (const auto labels = member(field, "matchLabels"))
        add_labels(*labels, result, errors);
    if (const auto expressions = member(field, "matchExpressions")) {
        for (const Field& expression : items(*expressions, errors))
            add_expression(expression, result, errors);
    }
    std::ranges::sort(result.requirements);
    const auto rest = std::ranges::unique(result.requirements);
    result.requirements.erase(rest.begin(), rest.end());
    return result;
}

} // namespace ebpfd
