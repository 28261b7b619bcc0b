// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// A value of a document and how it is reached: "spec.ingress[0].from".
struct Field {
    const Value* value = nullptr;
    std::string path;
};

// Collects all that is wrong with one document.
class FieldErrors {
public:
    explicit FieldErrors(std::string file) : file_(std::move(file)) {}

    // "PATH: REASON", placed where the value stands.
    void add(const Field& field, std::string_view reason);
    void add_at(uint32_t line, uint32_t column, std::string reason);
    bool empty() const { return errors_.empty(); }
    // In the order of lines and columns.
    std::vector<FileError> take();

private:
    std::string file_;
    std::vector<FileError> errors_;
};

// Whether the field is an object; members that are not known, and those given twice, are
// errors as well.
bool check_object(const Field& field, std::initializer_list<std::string_view> known,
                  FieldErrors& errors);
// Whether the field is an object, whatever its members; those given twice are errors.
bool check_map(const Field& field, FieldErrors& errors);
// The member; nothing if it is missing or null.
std::optional<Field> member(const Field& object, std::string_view name);
// All members, null ones too.
std::vector<Field> members(const Field& object);
// The items; an error if the field is no list, or an item is null.
std::vector<Field> items(const Field& list, FieldErrors& errors);
// The text; an error, with the advice to quote, if the field is no string.
std::optional<std::string> text_of(const Field& field, FieldErrors& errors);
// "a boolean", "an integer" …
std::string_view kind_with_article(const Value& value);

} // namespace ebpfd
