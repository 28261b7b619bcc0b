// SPDX-License-Identifier: Apache-2.0
#include "model/address.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

std::string canonical(std::string_view text)
{
    const auto cidr = Cidr::parse(text);
    return cidr ? cidr->text() : "refused";
}

bool inside(std::string_view outer, std::string_view inner)
{
    return Cidr::parse(outer)->contains(*Cidr::parse(inner));
}

TEST(Address, Ipv4IsKeptMapped)
{
    const auto address = IpAddress::parse("10.0.0.1");
    ASSERT_TRUE(address);
    EXPECT_TRUE(address->is_v4());
    EXPECT_EQ(address->bytes[10], 0xff);
    EXPECT_EQ(address->bytes[12], 10);
    EXPECT_EQ(address->text(), "10.0.0.1");
}

TEST(Address, Ipv6KeepsItsOwnForm)
{
    const auto address = IpAddress::parse("fd00:0:0::1");
    ASSERT_TRUE(address);
    EXPECT_FALSE(address->is_v4());
    EXPECT_EQ(address->text(), "fd00::1");
}

TEST(Address, RefusesWhatHasAnotherSpelling)
{
    for (const auto* text : {"::ffff:1.2.3.4", "::ffff:102:304", "010.0.0.1", "10.0.0",
                             "fe80::1%lo", "", " 10.0.0.1", "10.0.0.1 ", "10.0.0.1/8"})
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    EXPECT_FALSE(IpAddress::parse(std::string_view("10.0.0.1\0x", 10)));
}

TEST(Cidr, HostBitsAreCleared)
{
    EXPECT_EQ(canonical("10.1.2.3/8"), "10.0.0.0/8");
    EXPECT_EQ(canonical("10.1.2.255/25"), "10.1.2.128/25");
    EXPECT_EQ(canonical("fd00::abcd/16"), "fd00::/16");
    EXPECT_EQ(canonical("1.2.3.4/0"), "0.0.0.0/0");
    EXPECT_EQ(canonical("1.2.3.4/32"), "1.2.3.4/32");
    EXPECT_EQ(canonical("ff::1/0"), "::/0");
}

TEST(Cidr, RefusesBadPrefixes)
{
    for (const auto* text : {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08",
                             "10.0.0.0/+8", "fd00::/129", "10.0.0.0/8/8", "/8", "10.0.0.0/8 "})
        EXPECT_FALSE(Cidr::parse(text)) << text;
}

TEST(Cidr, ContainsKeepsFamiliesApart)
{
    EXPECT_FALSE(Cidr::parse("::/0")->contains(*IpAddress::parse("10.0.0.1")));
    EXPECT_FALSE(Cidr::parse("0.0.0.0/0")->contains(*IpAddress::parse("fd00::1")));
    EXPECT_TRUE(Cidr::parse("0.0.0.0/0")->contains(*IpAddress::parse("255.0.0.1")));
    EXPECT_TRUE(Cidr::parse("::/0")->contains(*IpAddress::parse("fd00::1")));
    EXPECT_FALSE(inside("::/0", "0.0.0.0/0"));
}

TEST(Cidr, ContainsOnlyWhatIsNarrowerOrEqual)
{
    EXPECT_TRUE(inside("10.0.0.0/8", "10.1.0.0/16"));
    EXPECT_TRUE(inside("10.0.0.0/8", "10.0.0.0/8"));
    EXPECT_FALSE(inside("10.1.0.0/16", "10.0.0.0/8"));
    EXPECT_FALSE(inside("10.0.0.0/9", "10.128.0.0/9"));
}

} // namespace
} // namespace ebpfd
