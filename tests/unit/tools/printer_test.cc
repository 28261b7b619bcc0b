// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/printer.h"
#include "ebpfctl/yaml.h"

#include <gtest/gtest.h>
#include <sstream>
#include <yaml-cpp/yaml.h>

namespace ebpfd::ctl {
namespace {

const Json ROWS = Json::array({Json{{"name", "a"}, {"list", {1, 2}}}, Json{{"name", "b"}}});

std::string text_of(Format format, const Json& data)
{
    std::ostringstream out;
    print(out, {.format = format}, {data, {}});
    return out.str();
}

TEST(Printer, YamlKeysSteerNoTerminal)
{
    const Json data{{"a\rb\033[31m", 1}};
    const std::string yaml = yaml_text(data);
    EXPECT_EQ(yaml.find('\r'), std::string::npos) << yaml;
    EXPECT_EQ(yaml.find('\033'), std::string::npos) << yaml;
    EXPECT_EQ(YAML::Load(yaml)["a\rb\033[31m"].as<int>(), 1);
}

TEST(Printer, JsonIsOneDocument)
{
    EXPECT_EQ(Json::parse(text_of(Format::json, ROWS)), ROWS);
}

TEST(Printer, JsonlIsOneRowALine)
{
    EXPECT_EQ(text_of(Format::jsonl, ROWS), "{\"name\":\"a\",\"list\":[1,2]}\n{\"name\":\"b\"}\n");
    EXPECT_EQ(text_of(Format::jsonl, ROWS[1]), "{\"name\":\"b\"}\n");
    EXPECT_EQ(text_of(Format::jsonl, Json::array()), "");
}

TEST(Printer, JsonReplacesWhatIsNoUtf8)
{
    EXPECT_EQ(text_of(Format::jsonl, Json{{"name", "\xff"}}), "{\"name\":\"\\ufffd\"}\n");
}

TEST(Printer, YamlReadsBackWithItsTypes)
{
    Json data{{"text", "true"},
              {"number", "12"},
              {"lines", "a\nb: \"c\""},
              {"flag", true},
              {"part", 4.079},
              {"none", nullptr},
              {"big", 18446744073709551615U},
              {"empty", Json::array()},
              {"nested", Json::array({Json{{"a", Json::object()}}})}};
    YAML::Node read = YAML::Load(yaml_text(data));
    EXPECT_EQ(read["text"].Tag(), "!"); // quoted: a string, whatever it looks like
    EXPECT_EQ(read["number"].Tag(), "!");
    EXPECT_EQ(read["lines"].as<std::string>(), "a\nb: \"c\"");
    EXPECT_TRUE(read["flag"].as<bool>());
    EXPECT_TRUE(read["none"].IsNull());
    EXPECT_EQ(read["part"].Scalar(), "4.079");
    EXPECT_EQ(read["big"].as<uint64_t>(), 18446744073709551615U);
    EXPECT_TRUE(read["empty"].IsSequence());
    EXPECT_TRUE(read["nested"][0]["a"].IsMap());
}

std::string rows_of(Format format, const Json& rows)
{
    std::ostringstream out;
    RowPrinter printer(out, {.format = format}, [](const Json& row, bool) -> std::vector<Cell> {
        return {{value_text(row["name"])}};
    });
    for (const Json& row : rows)
        printer.row(row);
    printer.end();
    printer.end();
    return out.str();
}

TEST(RowPrinter, StreamedJsonIsOneListWhateverItsLength)
{
    EXPECT_EQ(Json::parse(rows_of(Format::json, ROWS)), ROWS);
    EXPECT_EQ(Json::parse(rows_of(Format::json, Json::array())), Json::array());
}

TEST(RowPrinter, StreamedYamlIsOneList)
{
    EXPECT_EQ(YAML::Load(rows_of(Format::yaml, ROWS)).size(), 2);
    EXPECT_EQ(YAML::Load(rows_of(Format::yaml, Json::array())).size(), 0);
}

TEST(RowPrinter, OtherFormatsHaveOneLineARow)
{
    EXPECT_EQ(rows_of(Format::table, ROWS), "a\nb\n");
    EXPECT_EQ(rows_of(Format::jsonl, ROWS), text_of(Format::jsonl, ROWS));
}

TEST(Cell, SidesOfAFlowAreNamedByPodElseByAddress)
{
    Json side{{"namespace", "shop"}, {"pod", "db"}, {"ip", "10.0.0.1"}, {"port", 80}};
    EXPECT_EQ(value_text(side), "shop/db:80");
    side["pod"] = "";
    EXPECT_EQ(value_text(side), "10.0.0.1:80");
    side["ip"] = "fd00::1";
    EXPECT_EQ(value_text(side), "[fd00::1]:80");
    side["port"] = 0;
    EXPECT_EQ(value_text(side), "fd00::1");
}

} // namespace
} // namespace ebpfd::ctl
