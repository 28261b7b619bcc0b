// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "source/tree_builder.h"

#include <cstddef>
#include <iterator>
#include <string_view>

namespace ebpfd {

// Where a JSON parser is in its text. The parser tells of a token when it has read it to
// its end, for a number one character beyond: the cursor knows where it began.
class JsonCursor {
public:
    explicit JsonCursor(std::string_view text) : text_(text) {}

    bool at_end() const { return next_ == text_.size(); }
    char peek() const { return text_[next_]; }
    // Where the last token began that is a scalar, a key, [ or {.
    Place token() const { return token_; }
    // Where the character stands that was read last.
    Place last() const { return last_; }

    void advance();

private:
    void follow_token(char c);

    std::string_view text_;
    size_t next_ = 0;
    Place here_{1, 1};
    Place last_{1, 1};
    Place token_{1, 1};
    enum class Inside { nothing, word, string, escape } inside_ = Inside::nothing;
};

// The input iterator through which nlohmann's parser reads; all copies share one cursor.
class JsonInput {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = char;

    JsonInput() = default; // the end
    explicit JsonInput(JsonCursor& cursor) : cursor_(&cursor) {}

    char operator*() const { return cursor_->peek(); }
    JsonInput& operator++()
    {
        cursor_->advance();
        return *this;
    }
    void operator++(int) { cursor_->advance(); }
    bool operator==(const JsonInput& other) const { return ended() == other.ended(); }

private:
    bool ended() const { return cursor_ == nullptr || cursor_->at_end(); }

    JsonCursor* cursor_ = nullptr;
};

} // namespace ebpfd
