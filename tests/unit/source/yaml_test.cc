// SPDX-License-Identifier: Apache-2.0
#include "source/tree_builder.h"
#include "source/yaml.h"

#include <gtest/gtest.h>
#include <random>

namespace ebpfd {
namespace {

using Place = std::pair<uint32_t, uint32_t>;

Value parse(std::string_view text)
{
    auto values = parse_yaml(text, "f.yaml");
    if (!values || values->size() != 1) {
        ADD_FAILURE() << (values ? "not one document" : values.error().text());
        return {};
    }
    return std::move(values->front());
}

std::string error_of(std::string_view text)
{
    const auto values = parse_yaml(text, "f.yaml");
    return values ? "no error" : values.error().text();
}

std::string repeated(std::string_view unit, size_t bytes)
{
    std::string text;
    while (text.size() < bytes)
        text += unit;
    return text;
}

TEST(Yaml, ValuesAndKeysKnowTheirPlaces)
{
    const Value root = parse("spec:\n  ports:\n  - port: 80\n    name: \"on\"\n");
    const Value& port = root.find("spec")->find("ports")->items.at(0);
    EXPECT_EQ((Place{port.line, port.column}), Place(3, 5));
    EXPECT_EQ(port.find("port")->integer, 80);
    EXPECT_EQ((Place{port.find("port")->line, port.find("port")->column}), Place(3, 11));
    EXPECT_EQ(port.key_marks, (std::vector<Place>{{3, 5}, {4, 5}}));
    EXPECT_EQ(port.find("name")->kind, Value::Kind::string);
}

TEST(Yaml, UnquotedWordIsBooleanAndKeepsItsText)
{
    const Value root = parse("a: y\nb: 'y'\nc: !!str y\nd: ~\ne:\n");
    EXPECT_EQ(root.find("a")->kind, Value::Kind::boolean);
    EXPECT_EQ(root.find("a")->string, "y");
    EXPECT_EQ(root.find("b")->kind, Value::Kind::string);
    EXPECT_EQ(root.find("c")->kind, Value::Kind::string);
    EXPECT_TRUE(root.find("d")->is_null());
    EXPECT_EQ(root.find("d")->string, "~");
    EXPECT_TRUE(root.find("e")->is_null());
}

TEST(Yaml, KeysThatAreNoStringsBecomeStrings)
{
    const Value root = parse("80: a\non: b\n0x10: c\n1.5: d\n");
    EXPECT_NE(root.find("80"), nullptr);
    EXPECT_NE(root.find("true"), nullptr);
    EXPECT_NE(root.find("16"), nullptr);
    EXPECT_NE(root.find("1.5"), nullptr);
}

TEST(Yaml, OtherKeysAreRefused)
{
    EXPECT_EQ(error_of("~: a\n"), "f.yaml:1:1: a key must be a string, not null");
    EXPECT_EQ(error_of("? [a]\n: b\n"), "f.yaml:1:3: a key must be a string, not list");
    EXPECT_EQ(error_of("{a: b}: c\n"), "f.yaml:1:1: a key must be a string, not object");
    EXPECT_EQ(error_of("x: &a [b]\n*a : c\n"), "f.yaml:2:1: a key must be a string, not list");
}

TEST(Yaml, DuplicateKeyIsAnErrorAtTheSecond)
{
    EXPECT_EQ(error_of("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n"),
              "f.yaml:5:3: key \"c\" stands here and in line 3");
    EXPECT_EQ(error_of("on: 1\nyes: 2\n"), "f.yaml:2:1: key \"true\" stands here and in line 1");
}

TEST(Yaml, AliasRepeatsItsAnchor)
{
    const Value root = parse("a: &x {k: [1, 2]}\nb: *x\nc: &n name\nd: {*n : 3}\n");
    EXPECT_EQ(root.find("b")->find("k")->items.size(), 2U);
    EXPECT_EQ(root.find("d")->find("name")->integer, 3);
}

TEST(Yaml, AnchorsEndWithTheirDocument)
{
    EXPECT_EQ(error_of("a: &x 1\n---\nb: *x\n"),
              "f.yaml:3:4: there is no anchor \"x\" before its alias");
}

TEST(Yaml, AliasInsideItsAnchorIsRefused)
{
    EXPECT_EQ(error_of("a: &x [1, *x]\n"),
              "f.yaml:1:11: the alias stands inside the value it refers to");
}

TEST(Yaml, MergeKeyAddsWhatIsNotWrittenOut)
{
    const Value root = parse("base: &b {x: 1, y_: 2}\nmore: &m {y_: 3, z: 4}\n"
                             "one:\n  <<: *b\n  x: 9\nall:\n  <<: [*b, *m]\n"
                             "quoted: {'<<': 5}\n");
    EXPECT_EQ(root.find("one")->find("x")->integer, 9);
    EXPECT_EQ(root.find("one")->find("y_")->integer, 2);
    EXPECT_EQ(root.find("one")->find("<<"), nullptr);
    EXPECT_EQ(root.find("one")->key_marks.size(), root.find("one")->members.size());
    EXPECT_EQ(root.find("all")->find("y_")->integer, 2);
    EXPECT_EQ(root.find("all")->find("z")->integer, 4);
    EXPECT_EQ(root.find("quoted")->find("<<")->integer, 5);
}

TEST(Yaml, MergeKeyTakesOnlyObjects)
{
    EXPECT_EQ(error_of("a:\n  <<: 5\n"),
              "f.yaml:2:7: \"<<\" takes an object or a list of objects, not integer");
    EXPECT_EQ(error_of("<<: [x]\n"),
              "f.yaml:1:6: \"<<\" takes an object or a list of objects, not string");
}

TEST(Yaml, ExpandingAliasesAreStopped)
{
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
        for (int j = 0; j < 9; ++j)
            text += ", " + last;
        text += "]\n";
    }
    EXPECT_NE(error_of(text).find("MiB of memory"), std::string::npos);
}

TEST(Yaml, NestingAliasesAreStopped)
{
    std::string text = "a0: &a0 [x]\n";
    for (size_t i = 1; i <= MAX_TREE_DEPTH; ++i)
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" +
                std::to_string(i - 1) + "]\n";
    EXPECT_NE(error_of(text).find("nested deeper than 128 levels"), std::string::npos);
}

TEST(Yaml, DeepNestingIsStopped)
{
    for (const char* unit : {"[", "{", "- ", "? ", "[a: ", "{a: ", "? - "})
        EXPECT_NE(error_of(repeated(unit, 100'000)).find("f.yaml:1:"), std::string::npos) << unit;
    EXPECT_EQ(error_of(repeated("[", 200) + repeated("]", 200)),
              "f.yaml:1:129: nested deeper than 128 levels");
}

TEST(Yaml, SecondDocumentNeedsItsMarker)
{
    EXPECT_EQ(error_of("  a: 1\nb: 2\n"), "f.yaml:2:1: did not find expected <document start>");
    EXPECT_NE(error_of("{a: b} {c: d}\n"), "no error");
    EXPECT_NE(error_of(repeated(", ", 1000)), "no error");
}

TEST(Yaml, SyntaxErrorsHaveLineAndColumn)
{
    EXPECT_EQ(error_of("a:\n  b: c\n\td: e\n"),
              "f.yaml:3:1: found a tab character that violates indentation while "
              "scanning a plain scalar from line 2");
    EXPECT_EQ(error_of("a: b: c\n"), "f.yaml:1:5: mapping values are not allowed in this context");
    EXPECT_EQ(error_of("a: @b\n"), "f.yaml:1:4: found character that cannot start any token");
    EXPECT_EQ(error_of("%YAML 3.0\n---\na\n"), "f.yaml:1:1: found incompatible YAML document");
    EXPECT_NE(error_of("a: [b, c\n"), "no error");
    EXPECT_NE(error_of("a: \"\\ud800\"\n"), "no error");
}

TEST(Yaml, UnclosedQuoteSaysWhereItBegins)
{
    EXPECT_NE(error_of("a: 1\nb: \"c\nd: e\n").find("a quoted scalar from line 2"),
              std::string::npos);
    EXPECT_NE(error_of("a: &x 'it''s\n").find("found unexpected end of stream"), std::string::npos);
    EXPECT_EQ(error_of("a: 'it''s' # don't\n"), "no error");
    EXPECT_EQ(error_of("a: \"\\\"\"\nb: !!str |\n  \"\n"), "no error");
}

TEST(Yaml, AnErrorAtTheEndIsInTheLastLine)
{
    EXPECT_EQ(error_of("ta:\n; ").substr(0, 9), "f.yaml:2:");
    EXPECT_EQ(error_of("ta:\n; \n").substr(0, 9), "f.yaml:2:");
    EXPECT_EQ(error_of("ta:\r\n; \r\n").substr(0, 9), "f.yaml:2:");
    EXPECT_EQ(error_of("a: [").substr(0, 9), "f.yaml:1:");
}

TEST(Yaml, ColumnsCountCharacters)
{
    const Value root = parse("{ä: ö, ü: 1}\n");
    EXPECT_EQ((Place{root.find("ü")->line, root.find("ü")->column}), Place(1, 11));
}

TEST(Yaml, QuotedScalarMayHoldAZeroByte)
{
    EXPECT_EQ(parse("a: \"x\\0y\"\n").find("a")->string, std::string("x\0y", 3));
}

TEST(Yaml, LongLineIsRead)
{
    const std::string text(size_t{16} << 20, 'a');
    EXPECT_EQ(parse(text).string.size(), text.size());
}

TEST(Yaml, LongListInBracketsIsStoppedBeforeItFillsTheMemory)
{
    EXPECT_NE(error_of("[" + repeated("a,", size_t{6} << 20)).find("MiB of memory"),
              std::string::npos);
}

// Seeded: the same texts in each run. A crash or a hang is the failure.
TEST(Yaml, RandomTextsAreReadOrRefused)
{
    const std::vector<std::string> pieces = {
        "a",  "b: ", "- ", "\n",    "\n  ",       "[",           "]",     "{",   "}",
        ", ", ": ",  "? ", "&x ",   "*x",         "!!str ",      "!",     "|\n", ">-\n",
        "\"", "'",   "#",  "---\n", "...\n",      "%YAML 1.1\n", "<<: ",  "~",   "\t",
        "\\", "0x1", "é",  "\r\n",  "%TAG ! x\n", "|2\n",        "!<x> ", "@",   "`"};
    std::mt19937 random(7);
    size_t refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (auto length = random() % 24; length > 0; --length)
            text += pieces[random() % pieces.size()];
        const auto values = parse_yaml(text, "f.yaml");
        refused += values ? 0 : 1;
    }
    EXPECT_GT(refused, 1000U);
    EXPECT_LT(refused, 20'000U);
}

} // namespace
} // namespace ebpfd
