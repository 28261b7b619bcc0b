// SPDX-License-Identifier: Apache-2.0
#include "source/parse.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

constexpr std::string_view HEAD = "apiVersion: v1\nkind: Pod\n";

std::vector<Document> parse(std::string_view text, const std::string& file = "f.yaml")
{
    auto documents = parse_documents(text, file);
    if (!documents) {
        ADD_FAILURE() << documents.error().text();
        return {};
    }
    return *std::move(documents);
}

std::string error_of(std::string_view text, const std::string& file = "f.yaml")
{
    const auto documents = parse_documents(text, file);
    return documents ? "no error" : documents.error().text();
}

TEST(Parse, EmptyFileAndCommentsSayNothing)
{
    EXPECT_TRUE(parse("").empty());
    EXPECT_TRUE(parse("# nothing\n\n").empty());
    EXPECT_TRUE(parse("---\n# still nothing\n---\n...\n").empty());
    EXPECT_TRUE(parse(" \n", "f.json").empty());
}

TEST(Parse, SeveralDocumentsKeepTheirOrderAndEmptyOnesAreSkipped)
{
    const auto documents = parse("---\napiVersion: v1\nkind: Pod\n---\n# empty\n---\n"
                                 "apiVersion: apps/v1\nkind: Deployment\n---\n");
    ASSERT_EQ(documents.size(), 2U);
    EXPECT_EQ(documents[0].kind, "Pod");
    EXPECT_EQ(documents[1].api_version, "apps/v1");
    EXPECT_EQ(documents[1].file, "f.yaml");
    EXPECT_EQ(documents[1].root.line, 7U);
}

TEST(Parse, JsonFileMayHoldSeveralObjects)
{
    const auto documents = parse("{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}\n"
                                 "{\"apiVersion\":\"v1\",\"kind\":\"Node\"}",
                                 "f.json");
    ASSERT_EQ(documents.size(), 2U);
    EXPECT_EQ(documents[1].kind, "Node");
    EXPECT_EQ(documents[1].root.line, 2U);
}

TEST(Parse, JsonTextInYamlFileIsYaml)
{
    EXPECT_EQ(parse("{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}").size(), 1U);
}

TEST(Parse, ByteOrderMarkIsPassedOver)
{
    EXPECT_EQ(parse("\xef\xbb\xbf" + std::string(HEAD)).size(), 1U);
}

TEST(Parse, ListIsTakenApart)
{
    const auto documents = parse("apiVersion: v1\nkind: List\nitems:\n"
                                 "- {apiVersion: v1, kind: Pod}\n"
                                 "- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy}\n");
    ASSERT_EQ(documents.size(), 2U);
    EXPECT_EQ(documents[1].kind, "NetworkPolicy");
    EXPECT_EQ(documents[1].root.line, 5U);
    EXPECT_EQ(documents[1].root.column, 3U);
}

TEST(Parse, TypedListGivesItsItemsTheirKind)
{
    const auto documents = parse("{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"items\":["
                                 "{\"metadata\":{\"name\":\"a\"}},{\"kind\":\"Node\"}]}",
                                 "f.json");
    ASSERT_EQ(documents.size(), 2U);
    EXPECT_EQ(documents[0].kind, "Pod");
    EXPECT_EQ(documents[0].api_version, "v1");
    EXPECT_EQ(documents[1].kind, "Node");
}

TEST(Parse, EmptyListsSayNothing)
{
    EXPECT_TRUE(parse("apiVersion: v1\nkind: List\nitems: []\n").empty());
    EXPECT_TRUE(parse("apiVersion: v1\nkind: PodList\nitems:\n").empty());
}

TEST(Parse, UntypedListItemNeedsItsOwnKind)
{
    EXPECT_EQ(error_of("apiVersion: v1\nkind: List\nitems:\n- metadata: {}\n"),
              "f.yaml:4:3: \"apiVersion\" is missing");
}

TEST(Parse, ListItemsMustBeObjectsInAList)
{
    EXPECT_EQ(error_of("apiVersion: v1\nkind: List\nitems: 3\n"),
              "f.yaml:3:8: \"items\" must be a list, not integer");
    EXPECT_EQ(error_of("apiVersion: v1\nkind: List\nitems: [x]\n"),
              "f.yaml:3:9: a Kubernetes object is wanted, not string");
}

TEST(Parse, DocumentMustBeAnObject)
{
    EXPECT_EQ(error_of("# x\n- a\n"), "f.yaml:2:1: a Kubernetes object is wanted, not list");
    EXPECT_EQ(error_of("kind:Pod\n"), "f.yaml:1:1: a Kubernetes object is wanted, not string");
    EXPECT_EQ(error_of(" 3", "f.json"), "f.json:1:2: a Kubernetes object is wanted, not integer");
}

TEST(Parse, KindAndApiVersionAreRequiredStrings)
{
    EXPECT_EQ(error_of("---\n\nkind: Pod\n"), "f.yaml:3:1: \"apiVersion\" is missing");
    EXPECT_EQ(error_of("apiVersion: v1\nkind:\n"), "f.yaml:1:1: \"kind\" is missing");
    EXPECT_EQ(error_of("apiVersion: 1\nkind: Pod\n"),
              "f.yaml:1:13: \"apiVersion\" must be a string, not integer");
    EXPECT_EQ(error_of("{\"apiVersion\":\"v1\",\n \"kind\":\"\"}", "f.json"),
              "f.json:2:9: \"kind\" is empty");
}

TEST(Parse, OneBadDocumentRefusesTheFile)
{
    EXPECT_EQ(error_of(std::string(HEAD) + "---\napiVersion: v1\n"),
              "f.yaml:4:1: \"kind\" is missing");
}

TEST(Parse, BinaryContentIsNamed)
{
    using namespace std::string_literals;
    EXPECT_EQ(error_of("a: b\nc: \0"s), "f.yaml:2:4: a NUL byte: the file is binary, not text");
    EXPECT_EQ(error_of("a\x04"), "f.yaml:1:2: control character 0x04");
    EXPECT_EQ(error_of("a: \xff", "f.json"), "f.json:1:4: byte 0xff is not UTF-8");
}

TEST(Parse, IllFormedUtf8IsRefused)
{
    for (const char* text : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                             "\xf0\x80\x80\x80", "\xe2\x82", "\x80", "\xf8\x88\x80\x80\x80"})
        EXPECT_NE(error_of(text).find("is not UTF-8"), std::string::npos) << text;
}

TEST(Parse, WellFormedUtf8IsKept)
{
    const auto documents = parse(std::string(HEAD) + "a: \"é€𝄞\"\n");
    ASSERT_EQ(documents.size(), 1U);
    EXPECT_EQ(documents[0].root.find("a")->string, "é€𝄞");
}

} // namespace
} // namespace ebpfd
