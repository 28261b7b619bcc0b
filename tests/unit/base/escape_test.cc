// SPDX-License-Identifier: Apache-2.0
#include "base/escape.h"

#include <gtest/gtest.h>

namespace ebpfd
{
namespace
{

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

TEST(Escape, BytesThatAreNoUtf8AreShownAsNumbers)
{
    EXPECT_EQ(escape_control("\x9b"), "\\x9b");
    EXPECT_EQ(escape_control("\xc0\x9b"), "\\xc0\\x9b");
    EXPECT_EQ(escape_control("\xe2\x82"), "\\xe2\\x82");
}

} // namespace
} // namespace ebpfd
