// SPDX-License-Identifier: Apache-2.0
#include "source/scalar.h"

#include <cmath>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

constexpr std::string_view STRING_TAG = "tag:yaml.org,2002:str";

Value plain(std::string_view text)
{
    const auto value = resolve_scalar("?", text);
    EXPECT_TRUE(value.has_value());
    EXPECT_EQ(value->string, text); // as written, whatever it means
    return *value;
}

TEST(Scalar, UnquotedWordsAreBooleans)
{
    for (const char* text : {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On"}) {
        EXPECT_EQ(plain(text).kind, Value::Kind::boolean) << text;
        EXPECT_TRUE(plain(text).boolean) << text;
    }
    for (const char* text : {"n", "N", "no", "No", "NO", "false", "False", "off", "Off", "OFF"}) {
        EXPECT_EQ(plain(text).kind, Value::Kind::boolean) << text;
        EXPECT_FALSE(plain(text).boolean) << text;
    }
}

TEST(Scalar, MixedCaseWordsAreStrings)
{
    for (const char* text : {"yEs", "tRUE", "oN", "nULL", "nope", "yesterday"})
        EXPECT_EQ(plain(text).kind, Value::Kind::string) << text;
}

TEST(Scalar, NullWordsAreNull)
{
    for (const char* text : {"", "~", "null", "Null", "NULL"})
        EXPECT_TRUE(plain(text).is_null()) << text;
}

TEST(Scalar, IntegersAreReadInTheirBase)
{
    const std::pair<const char*, int64_t> rows[] = {
        {"0", 0},
        {"-0", 0},
        {"80", 80},
        {"+80", 80},
        {"-17", -17},
        {"0x1F", 31},
        {"0X1f", 31},
        {"0o17", 15},
        {"017", 15},
        {"0b101", 5},
        {"-0b101", -5},
        {"1_000", 1000},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (const auto& [text, number] : rows) {
        EXPECT_EQ(plain(text).kind, Value::Kind::integer) << text;
        EXPECT_EQ(plain(text).integer, number) << text;
    }
}

TEST(Scalar, FloatsAreNumbers)
{
    const std::pair<const char*, double> rows[] = {
        {"1.5", 1.5}, {"-.5", -0.5}, {"2.5e3x", 0}, {"1e-2", 0.01}, {"6.02e23", 6.02e23}};
    for (const auto& [text, number] : rows) {
        if (std::string_view(text).ends_with('x')) {
            EXPECT_EQ(plain(text).kind, Value::Kind::string) << text;
            continue;
        }
        EXPECT_EQ(plain(text).kind, Value::Kind::number) << text;
        EXPECT_DOUBLE_EQ(plain(text).number, number) << text;
    }
    EXPECT_TRUE(std::isinf(plain("-.inf").number));
    EXPECT_TRUE(std::isnan(plain(".NaN").number));
    EXPECT_EQ(plain("18446744073709551615").kind, Value::Kind::number);
}

TEST(Scalar, WholeFloatIsAnInteger)
{
    for (const char* text : {"8080.0", "8080.", "8.08e3", "08080"}) {
        EXPECT_EQ(plain(text).kind, Value::Kind::integer) << text;
        EXPECT_EQ(plain(text).integer, 8080) << text;
    }
}

TEST(Scalar, AlmostNumbersAreStrings)
{
    for (const char* text : {"0x", "0xg", "1.2.3", "10.0.0.1", "-", "+", ".", "1e", "e1", "--1",
                             "1:30", "2024-01-01", "2024-01-01T00:00:00Z", "1e999", "0b2", "x1"})
        EXPECT_EQ(plain(text).kind, Value::Kind::string) << text;
}

TEST(Scalar, QuotedAndTaggedStringsAreStrings)
{
    for (const char* text : {"yes", "80", "~", ""}) {
        EXPECT_EQ(resolve_scalar("!", text)->kind, Value::Kind::string) << text;
        EXPECT_EQ(resolve_scalar(STRING_TAG, text)->kind, Value::Kind::string) << text;
        EXPECT_EQ(resolve_scalar("!custom", text)->kind, Value::Kind::string) << text;
    }
}

TEST(Scalar, OtherTagsMustFitTheirText)
{
    EXPECT_EQ(resolve_scalar("tag:yaml.org,2002:int", "5")->integer, 5);
    EXPECT_EQ(resolve_scalar("tag:yaml.org,2002:float", "5")->kind, Value::Kind::integer);
    EXPECT_TRUE(resolve_scalar("tag:yaml.org,2002:bool", "on")->boolean);
    EXPECT_EQ(resolve_scalar("tag:yaml.org,2002:int", "five").error(),
              "\"five\" is tagged !!int but reads as string");
}

} // namespace
} // namespace ebpfd
