// SPDX-License-Identifier: Apache-2.0
#include "source/json.h"

#include <gtest/gtest.h>
#include <random>

namespace ebpfd {
namespace {

using Place = std::pair<uint32_t, uint32_t>;

Place place_of(const Value& value)
{
    return {value.line, value.column};
}

Value parse(std::string_view text)
{
    auto values = parse_json(text, "f.json");
    if (!values || values->size() != 1) {
        ADD_FAILURE() << (values ? "not one value" : values.error().text());
        return {};
    }
    return std::move(values->front());
}

std::string error_of(std::string_view text)
{
    const auto values = parse_json(text, "f.json");
    return values ? "no error" : values.error().text();
}

TEST(Json, ValuesAndKeysKnowTheirPlaces)
{
    const Value root = parse("{\n  \"a\\\"\": 12,\n  \"b\": [true, -3,\n \"x y\", 1.5, null],"
                             "\"c\":{}\n}");
    EXPECT_EQ(place_of(root), Place(1, 1));
    EXPECT_EQ(root.key_marks, (std::vector<Place>{{2, 3}, {3, 3}, {4, 20}}));
    EXPECT_EQ(root.find("a\"")->integer, 12);
    EXPECT_EQ(place_of(*root.find("a\"")), Place(2, 10));
    const Value& list = *root.find("b");
    EXPECT_EQ(place_of(list), Place(3, 8));
    EXPECT_EQ(place_of(list.items.at(0)), Place(3, 9));
    EXPECT_EQ(place_of(list.items.at(1)), Place(3, 15));
    EXPECT_EQ(place_of(list.items.at(2)), Place(4, 2));
    EXPECT_EQ(place_of(list.items.at(3)), Place(4, 9));
    EXPECT_EQ(place_of(list.items.at(4)), Place(4, 14));
    EXPECT_EQ(place_of(*root.find("c")), Place(4, 24));
}

TEST(Json, ScalarsHaveTheirKindAndText)
{
    const Value root = parse("[true, -3, \"y\", 1.5, 18446744073709551615, 8080.0]");
    EXPECT_TRUE(root.items.at(0).boolean);
    EXPECT_EQ(root.items.at(1).integer, -3);
    EXPECT_EQ(root.items.at(1).string, "-3");
    EXPECT_EQ(root.items.at(2).kind, Value::Kind::string);
    EXPECT_DOUBLE_EQ(root.items.at(3).number, 1.5);
    EXPECT_EQ(root.items.at(4).kind, Value::Kind::number);
    EXPECT_EQ(root.items.at(5).kind, Value::Kind::integer);
    EXPECT_EQ(root.items.at(5).string, "8080.0");
}

TEST(Json, DuplicateKeyIsAnErrorAtTheSecond)
{
    EXPECT_EQ(error_of("{\"a\": 1,\n\"b\": 2,\n \"a\": 3}"),
              "f.json:3:2: key \"a\" stands here and in line 1");
}

TEST(Json, DeepNestingIsStopped)
{
    EXPECT_EQ(error_of(std::string(1'000'000, '[')), "f.json:1:129: nested deeper than 128 levels");
}

TEST(Json, SyntaxErrorsHaveLineColumnAndAShortReason)
{
    EXPECT_EQ(error_of("{\n \"a\": }"),
              "f.json:2:7: syntax error while parsing value - unexpected '}'; expected '[', '{', "
              "or a literal");
    const std::string long_token = error_of("{\"a\": " + std::string(1 << 20, 'x'));
    EXPECT_EQ(long_token.substr(0, 9), "f.json:1:");
    EXPECT_LT(long_token.size(), 200U);
    EXPECT_NE(error_of("{\"a\": 1"), "no error");
    EXPECT_NE(error_of("{\"a\": 1} x"), "no error");
    EXPECT_NE(error_of("{\"a\": 1e999}"), "no error");
    EXPECT_NE(error_of("{\"a\": \"\\ud800\"}"), "no error");
    EXPECT_NE(error_of("// no comments\n{}"), "no error");
}

TEST(Json, LongStringIsRead)
{
    const std::string text = "\"" + std::string(size_t{4} << 20, 'a') + "\"";
    EXPECT_EQ(parse(text).string.size(), text.size() - 2);
}

// Seeded: the same texts in each run. A crash or a hang is the failure.
TEST(Json, RandomTextsAreReadOrRefused)
{
    const std::vector<std::string> pieces = {"{",     "}", "[",  "]",    ",",   ":",
                                             "\"a\"", "1", "-",  "true", "nul", "\\u00e9",
                                             "\"",    " ", "\n", "0.5e", "null"};
    std::mt19937 random(7);
    size_t refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (auto length = random() % 8; length > 0; --length)
            text += pieces[random() % pieces.size()];
        refused += parse_json(text, "f.json") ? 0 : 1;
    }
    EXPECT_GT(refused, 1000U);
    EXPECT_LT(refused, 20'000U);
}

} // namespace
} // namespace ebpfd
