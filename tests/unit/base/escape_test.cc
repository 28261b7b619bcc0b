// SPDX-License-Identifier: Apache-2.0
#include "base/escape.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

TEST(Escape, PlainTextStays)
{
    EXPECT_EQ(escape_control("allow web/db: tcp 5432"), "allow web/db: tcp 5432");
}

TEST(Escape, TerminalSequencesAreDisarmed)
{
    EXPECT_EQ(escape_control("\x1b[31mred\x07"), "\\x1b[31mred\\x07");
    EXPECT_EQ(escape_control("a\nb\tc\rd\x7f"), "a\\nb\\tc\\x0dd\\x7f");
}

TEST(Escape, WhatIsEscapedCannotBeImitated)
{
    EXPECT_NE(escape_control("\\n"), escape_control("\n"));
}

TEST(Escape, Utf8StaysAndItsControlsDoNot)
{
    EXPECT_EQ(escape_control("größe €"), "größe €");
    EXPECT_EQ(escape_control("\xc2\x9b"
                             "31m"),
              "\\xc2\\x9b31m");
}

TEST(Escape, TextCannotTurnTheDirectionOfWriting)
{
    EXPECT_EQ(escape_control("a\u202eb"), "a\\xe2\\x80\\xaeb");
    for (const char* mark : {"\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u2066",
                             "\u2067", "\u2068", "\u2069", "\u061c", "\u2028", "\u2029"})
        EXPECT_EQ(escape_control(mark).find(mark), std::string::npos) << escape_control(mark);
    for (const char* plain : {"\u2027", "\u202f", "\u2065", "\u206a", "\u200d", "\u061b"})
        EXPECT_EQ(escape_control(plain), plain);
}

TEST(Escape, BytesThatAreNoUtf8AreShownAsNumbers)
{
    EXPECT_EQ(escape_control("\x9b"), "\\x9b");
    EXPECT_EQ(escape_control("\xc0\x9b"), "\\xc0\\x9b");
    EXPECT_EQ(escape_control("\xe2\x82"), "\\xe2\\x82");
}

} // namespace
} // namespace ebpfd
