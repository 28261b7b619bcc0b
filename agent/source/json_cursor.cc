// SPDX-License-Identifier: Apache-2.0
#include "source/json_cursor.h"

namespace ebpfd {

void JsonCursor::advance()
{
    const char c = text_[next_++];
    last_ = here_;
    follow_token(c);
    if (c == '\n')
        here_ = {here_.line + 1, 1};
    else
        ++here_.column;
}

void JsonCursor::follow_token(char c)
{
    if (inside_ == Inside::escape) {
        inside_ = Inside::string;
        return;
    }
    if (inside_ == Inside::string) {
        if (c == '\\')
            inside_ = Inside::escape;
        else if (c == '"')
            inside_ = Inside::nothing;
        return;
    }
    constexpr std::string_view between = " \t\r\n,:]}";
    if (between.contains(c)) {
        inside_ = Inside::nothing;
        return;
    }
    if (inside_ == Inside::nothing)
        token_ = last_;
    if (c == '"')
        inside_ = Inside::string;
    else
        inside_ = c == '{' || c == '[' ? Inside::nothing : Inside::word;
}

} // namespace ebpfd
