// SPDX-License-Identifier: Apache-2.0
#include "policy/key_writer.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

const Cidr WIDE = *Cidr::parse("10.0.0.0/8");
const Cidr NARROW = *Cidr::parse("10.1.0.0/16");

TEST(KeyWriter, BordersOfFieldsCount)
{
    EXPECT_NE(KeyWriter().text("ab").text("c").take(), KeyWriter().text("a").text("bc").take());
    EXPECT_NE(KeyWriter().text("1:a").take(), KeyWriter().text("").text("a").take());
    EXPECT_NE(KeyWriter().number(1).number(23).take(), KeyWriter().number(12).number(3).take());
}

TEST(KeyWriter, BordersOfListsCount)
{
    EXPECT_NE(KeyWriter().labels({{"a", "b"}}).labels({}).take(),
              KeyWriter().labels({}).labels({{"a", "b"}}).take());
    EXPECT_NE(KeyWriter().block({WIDE, {NARROW}}).take(),
              KeyWriter().block({WIDE, {}}).text(NARROW.text()).take());
}

TEST(KeyWriter, OrderOfSetsDoesNotCount)
{
    const Requirement one{"a", Requirement::Operator::exists, {}};
    const Requirement other{"b", Requirement::Operator::in, {"x"}};
    EXPECT_EQ(KeyWriter().selector({{one, other}}).take(),
              KeyWriter().selector({{other, one}}).take());
    EXPECT_NE(KeyWriter().selector({{one}}).take(), KeyWriter().selector({{other}}).take());
}

} // namespace
} // namespace ebpfd
