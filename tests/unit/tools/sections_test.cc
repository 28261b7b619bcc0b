// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/sections.h"

#include <gtest/gtest.h>
#include <sstream>

namespace ebpfd::ctl {
namespace {

std::string text_of(const Report& report, Style style = {})
{
    std::ostringstream out;
    print(out, style, report);
    return out.str();
}

const std::vector<Column> COLUMNS{{"NAME", "/name"}, {"N", "/n"}, {"NOTE", "/note", true}};

Report two_rows()
{
    return {Json::array({Json{{"name", "a"}, {"n", 1}, {"note", "x"}},
                         Json{{"name", "longer"}, {"n", nullptr}, {"note", ""}}}),
            {{"", "", COLUMNS, {}}}};
}

TEST(Sections, TableColumnsAreAsWideAsTheirWidestCell)
{
    EXPECT_EQ(text_of(two_rows()), "NAME    N\n"
                                   "a       1\n"
                                   "longer  -\n");
}

TEST(Sections, WideShowsAllColumns)
{
    EXPECT_EQ(text_of(two_rows(), {.format = Format::wide}), "NAME    N  NOTE\n"
                                                             "a       1  x\n"
                                                             "longer  -  -\n");
}

TEST(Sections, HeadersCanBeLeftOut)
{
    EXPECT_EQ(text_of(two_rows(), {.headers = false}), "a       1\nlonger  -\n");
}

TEST(Sections, CodePointsCountOnceWhateverTheirBytes)
{
    Report report{Json::array({Json{{"name", "é"}, {"n", 1}}}), {{"", "", COLUMNS, {}}}};
    EXPECT_EQ(text_of(report), "NAME  N\né     1\n");
}

TEST(Sections, ObjectsShowOneLineAMember)
{
    Report report{Json{{"name", "a"}, {"n", true}}, {{"", "", COLUMNS, {}}}};
    EXPECT_EQ(text_of(report), "NAME:  a\nN:     yes\n");
}

TEST(Sections, EmptySectionsAreLeftOutBesideOthers)
{
    Report report{Json{{"name", "a"}, {"list", Json::array()}, {"none", nullptr}},
                  {{"", "", {{"Name", "/name"}}, {}},
                   {"List", "/list", COLUMNS, {}},
                   {"None", "/none", COLUMNS, {}}}};
    EXPECT_EQ(text_of(report), "Name:  a\n");
}

TEST(Sections, TextFromOutsideCannotSteerTheTerminal)
{
    Report report{Json::array({Json{{"name", "\x1b[2J\x07\n\xc2\x9b\xff"}, {"n", 1}}}),
                  {{"", "", COLUMNS, {}}}};
    for (Format format : {Format::table, Format::wide, Format::json, Format::jsonl, Format::yaml}) {
        std::string text = text_of(report, {.format = format});
        for (unsigned char c : text)
            EXPECT_TRUE((c >= 0x20 && c < 0x7f) || c == '\n') << int(c) << " in " << text;
    }
    EXPECT_NE(text_of(report).find("\\x1b[2J\\x07\\n"), std::string::npos);
}

TEST(Sections, LinesAreEscapedAndPainted)
{
    Line line = [](const Json& row, bool) -> std::vector<Cell> {
        return {{row["name"].get<std::string>(), Color::red}, {"end"}};
    };
    Report report{Json::array({Json{{"name", "a\x1b"}}}), {{"", "", {}, line}}};
    EXPECT_EQ(text_of(report), "a\\x1b end\n");
    EXPECT_EQ(text_of(report, {.color = true}), "\033[31ma\\x1b\033[0m end\n");
}

TEST(Sections, OnlyJudgementsAreColoured)
{
    Report report{Json::array({Json{{"name", "deny"}, {"verdict", "deny"}}}),
                  {{"", "", {{"NAME", "/name"}, {"VERDICT", "/verdict"}}, {}}}};
    EXPECT_EQ(text_of(report, {.headers = false, .color = true}), "deny  \033[31mdeny\033[0m\n");
}

} // namespace
} // namespace ebpfd::ctl
