// SPDX-License-Identifier: Apache-2.0
#include "source/tree_builder.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

TEST(TreeBuilder, MemoryIsCountedOverAllTreesOfAFile)
{
    TreeBuilder builder("f.yaml");
    Value value;
    value.line = 7;
    value.column = 3;
    EXPECT_TRUE(builder.add(value, {.bytes = MAX_TREE_BYTES / 2}).has_value());
    builder.take_root();
    EXPECT_TRUE(builder.add(value, {.bytes = MAX_TREE_BYTES / 2}).has_value());
    builder.take_root();
    const auto refused = builder.add(value, {.bytes = 1});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().text(),
              "f.yaml:7:3: the values up to here need more than 384 MiB of memory");
}

TEST(TreeBuilder, ScalarsAndContainersAreCharged)
{
    TreeBuilder builder("f.yaml");
    Value text;
    text.string = std::string(1 << 20, 'x');
    ASSERT_TRUE(builder.open(Value::Kind::list, {1, 1}).has_value());
    ASSERT_TRUE(builder.charge(MAX_TREE_BYTES - (2 << 20), {1, 1}).has_value());
    EXPECT_TRUE(builder.add_scalar(text).has_value());
    EXPECT_FALSE(builder.add_scalar(text).has_value());
}

TEST(TreeBuilder, SizeOfATreeCountsTextKeysAndLevels)
{
    Value scalar;
    scalar.string = "12345";
    Value object;
    object.kind = Value::Kind::object;
    object.members.emplace_back("key", scalar);
    Value list;
    list.kind = Value::Kind::list;
    list.items = {object, scalar};
    EXPECT_EQ(size_of_tree(scalar).depth, 0U);
    EXPECT_EQ(size_of_tree(list).depth, 2U);
    EXPECT_EQ(size_of_tree(list).bytes, 4 * sizeof(Value) + 5 + 5 + 3);
}

} // namespace
} // namespace ebpfd
