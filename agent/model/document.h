// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Text of YAML or JSON as one tree that remembers where each value stood.
namespace ebpfd {

struct Member;

struct Value {
    enum class Kind : uint8_t { null, boolean, integer, number, string, list, object };

    Kind kind = Kind::null;
    bool boolean = false;
    int64_t integer = 0;
    double number = 0;
    std::string string;          // of a scalar: its text as written, whatever its kind
    std::vector<Value> items;    // of a list
    std::vector<Member> members; // of an object, in their order
    uint32_t line = 0;           // from 1
    uint32_t column = 0;
    // Of an object: where each member's key stood, in the order of members.
    std::vector<std::pair<uint32_t, uint32_t>> key_marks;

    bool is_null() const { return kind == Kind::null; }
    // The member of that name, or nullptr; nullptr too if this is no object.
    const Value* find(std::string_view name) const;
    // "string", "boolean" … for error messages.
    std::string_view kind_name() const;
};

// What std::pair<std::string, Value> would be if clang could complete that inside of itself.
struct Member {
    std::string first;
    Value second;
};

// One object of a file (lists of objects are taken apart): apiVersion, kind and the tree.
struct Document {
    std::string api_version;
    std::string kind;
    Value root;
    std::string file;
};

// Why a file, or one place in it, cannot be used.
struct FileError {
    Origin origin;
    std::string reason;

    // "db.yaml:12:7: unknown field \"spec.ingres\"".
    std::string text() const;
    bool operator==(const FileError&) const = default;
};

} // namespace ebpfd
