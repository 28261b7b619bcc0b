// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

// Builds one Value tree from a parser's events, YAML's or JSON's, and guards it against
// hostile text: depth, memory and duplicate keys.
namespace ebpfd {

// Levels of nesting; a Kubernetes object has fewer than 30.
inline constexpr size_t MAX_TREE_DEPTH = 128;
// Bytes that all trees of one file may take, what aliases repeat included.
inline constexpr size_t MAX_TREE_BYTES = size_t{384} << 20;

struct Place {
    uint32_t line = 0; // both from 1; a column counts bytes in JSON, characters in YAML
    uint32_t column = 0;
};

// What a tree takes: bytes of memory, and levels (0 for a scalar).
struct TreeSize {
    size_t bytes = 0;
    size_t depth = 0;
};
TreeSize size_of_tree(const Value& value);

class TreeBuilder {
public:
    using Outcome = std::expected<void, FileError>;

    explicit TreeBuilder(std::string file) : file_(std::move(file)) {}

    // Opens a list or an object as the next value; close() ends it.
    Outcome open(Value::Kind kind, Place place);
    Outcome close();
    // A scalar, or a whole tree of that size.
    Outcome add(Value value, TreeSize size);
    Outcome add_scalar(Value value);
    // The key of the next value. merge: the members of that value (an object or a list of
    // objects) become members here unless they are written out.
    Outcome key(std::string name, Place place, bool merge = false);

    // Counts bytes that the tree's maker keeps beside it.
    Outcome charge(size_t bytes, Place place);

    // Whether the next value is the key of a member.
    bool wants_key() const;
    // The value completed last; valid until the next call that changes the tree.
    const Value& last() const { return *last_; }
    // Ends the tree and begins the next; the budget of bytes stays.
    Value take_root();

    FileError error(Place place, std::string reason) const;

private:
    struct Frame {
        Value value;
        std::string key;
        Place key_place;
        bool has_key = false;
        bool merge = false;
        std::vector<Value> merges;
    };

    void attach(Value value);
    Outcome refuse_duplicates(const Value& object) const;
    Outcome merge_all(Frame& frame);
    Outcome merge_into(Value& object, Value source);

    std::string file_;
    size_t bytes_ = 0;
    std::vector<Frame> open_;
    Value root_;
    const Value* last_ = &root_;
};

} // namespace ebpfd
