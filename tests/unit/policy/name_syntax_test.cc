// SPDX-License-Identifier: Apache-2.0
#include "policy/name_syntax.h"

#include <gtest/gtest.h>
#include <string>

namespace ebpfd {
namespace {

struct Row {
    std::string_view (*wrong)(std::string_view);
    std::string text;
    bool valid;
};

TEST(NameSyntax, FollowsKubernetes)
{
    const std::vector<Row> rows{
        {wrong_dns_label, "a", true},
        {wrong_dns_label, "9-a", true},
        {wrong_dns_label, "", false},
        {wrong_dns_label, "-a", false},
        {wrong_dns_label, "a.b", false},
        {wrong_dns_label, std::string(63, 'a'), true},
        {wrong_dns_label, std::string(64, 'a'), false},
        {wrong_dns_subdomain, "a.b-c.9", true},
        {wrong_dns_subdomain, "a.", false},
        {wrong_dns_subdomain, ".a", false},
        {wrong_dns_subdomain, "a.-b", false},
        {wrong_dns_subdomain, std::string(253, 'a'), true},
        {wrong_dns_subdomain, std::string(254, 'a'), false},
        {wrong_label_key, "App_1.x", true},
        {wrong_label_key, "example.com/app", true},
        {wrong_label_key, "/app", false},
        {wrong_label_key, "example.com/", false},
        {wrong_label_key, "a/b/c", false},
        {wrong_label_key, "", false},
        {wrong_label_key, "x/" + std::string(63, 'a'), true},
        {wrong_label_key, "x/" + std::string(64, 'a'), false},
        {wrong_label_value, "", true},
        {wrong_label_value, "A.b_c-9", true},
        {wrong_label_value, "a-", false},
        {wrong_label_value, "a b", false},
        {wrong_label_value, "ä", false},
        {wrong_label_value, std::string(64, 'a'), false},
        {wrong_port_name, "http", true},
        {wrong_port_name, "9p", true},
        {wrong_port_name, "8080", false},
        {wrong_port_name, "a-", false},
        {wrong_port_name, "a--b", false},
        {wrong_port_name, "fifteen-letters", true},
        {wrong_port_name, "sixteen-letters-", false},
    };
    for (const auto& [wrong, text, valid] : rows)
        EXPECT_EQ(wrong(text).empty(), valid) << text << ": " << wrong(text);
}

} // namespace
} // namespace ebpfd
