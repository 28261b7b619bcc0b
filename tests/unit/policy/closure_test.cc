// SPDX-License-Identifier: Apache-2.0
#include "policy/closure.h"

#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace ebpfd {
namespace {

using testing::ElementsAre;

Cidr cidr(std::string_view text)
{
    return *Cidr::parse(text);
}

IpBlock block(std::string_view text, std::initializer_list<std::string_view> except = {})
{
    IpBlock result{cidr(text), {}};
    for (const auto one : except)
        result.except.push_back(cidr(one));
    return result;
}

std::vector<PlanCidr> closure(const std::vector<IpBlock>& blocks)
{
    std::vector<BlockBit> bits;
    for (uint32_t bit = 0; bit < blocks.size(); ++bit)
        bits.push_back({&blocks[bit], bit});
    return close_cidrs(bits);
}

// "10.0.0.0/8=01": the block and its bits, as far as they are set.
std::vector<std::string> texts(const std::vector<PlanCidr>& entries)
{
    std::vector<std::string> result;
    for (const PlanCidr& entry : entries) {
        result.push_back(entry.cidr.text() + "=");
        for (uint32_t bit = 0; bit < RULES_MAX; ++bit) {
            if (has_bit(entry.rules, bit))
                result.back() += std::to_string(bit);
        }
    }
    return result;
}

TEST(CidrClosure, NarrowerBlocksRepeatWiderOnes)
{
    EXPECT_THAT(texts(closure({block("10.1.0.0/16"), block("10.0.0.0/8"), block("11.0.0.0/8")})),
                ElementsAre("10.0.0.0/8=1", "10.1.0.0/16=01", "11.0.0.0/8=2"));
}

TEST(CidrClosure, ExceptedBlocksHaveEntriesOfTheirOwn)
{
    EXPECT_THAT(texts(closure({block("10.0.0.0/8", {"10.1.0.0/16"}), block("10.0.0.0/8")})),
                ElementsAre("10.0.0.0/8=01", "10.1.0.0/16=1"));
}

TEST(CidrClosure, NestedExceptsEndTheBlockOnce)
{
    EXPECT_THAT(
        texts(closure({block("10.0.0.0/8", {"10.1.2.0/24", "10.1.0.0/16"}), block("10.1.2.0/24")})),
        ElementsAre("10.0.0.0/8=0", "10.1.0.0/16=", "10.1.2.0/24=1"));
}

TEST(CidrClosure, OtherBlocksOfTheSameRuleFillAnExcept)
{
    const std::vector<IpBlock> blocks{block("10.0.0.0/8", {"10.1.0.0/16"}), block("10.1.2.0/24")};
    EXPECT_THAT(texts(close_cidrs({{&blocks[0], 5}, {&blocks[1], 5}})),
                ElementsAre("10.0.0.0/8=5", "10.1.0.0/16=", "10.1.2.0/24=5"));
}

TEST(CidrClosure, EntriesThatSayNothingNewAreLeftOut)
{
    const std::vector<IpBlock> blocks{block("10.0.0.0/8"), block("10.1.0.0/16")};
    EXPECT_THAT(texts(close_cidrs({{&blocks[0], 0}, {&blocks[1], 0}})),
                ElementsAre("10.0.0.0/8=0"));
}

TEST(CidrClosure, WideIpv6BlocksStopAtIpv4)
{
    EXPECT_THAT(texts(closure({block("::/0"), block("10.0.0.0/8")})),
                ElementsAre("::/0=0", "0.0.0.0/0=", "10.0.0.0/8=1"));
    EXPECT_THAT(texts(closure({block("::/0"), block("0.0.0.0/0")})),
                ElementsAre("::/0=0", "0.0.0.0/0=1"));
    EXPECT_THAT(texts(closure({block("::/64")})), ElementsAre("::/64=0", "0.0.0.0/0="));
    EXPECT_THAT(texts(closure({block("fd00::/8")})), ElementsAre("fd00::/8=0"));
}

Cidr random_cidr(std::mt19937& random, uint8_t shortest)
{
    Cidr result = cidr("0.0.0.0/0");
    result.prefix = static_cast<uint8_t>(96 + shortest + random() % (33u - shortest));
    const uint32_t mask = result.prefix == 96 ? 0 : ~uint32_t{0} << (128 - result.prefix);
    const uint32_t value = random() & 0xc0030303 & mask;
    for (unsigned byte = 0; byte < 4; ++byte)
        result.address.bytes[12 + byte] = static_cast<uint8_t>(value >> (24 - 8 * byte));
    return result;
}

std::vector<IpBlock> random_blocks(std::mt19937& random, size_t count)
{
    std::vector<IpBlock> result;
    while (result.size() < count) {
        IpBlock one{random_cidr(random, 1), {}};
        for (int tries = 0; tries < 20; ++tries) {
            const Cidr except = random_cidr(random, 2);
            if (one.cidr.contains(except) && one.cidr != except)
                one.except.push_back(except);
        }
        result.push_back(one);
    }
    return result;
}

bool holds(const IpBlock& block, const IpAddress& address)
{
    const auto inside = [&](const Cidr& one) { return one.contains(address); };
    return inside(block.cidr) && std::ranges::none_of(block.except, inside);
}

Bitmap longest_match(const std::vector<PlanCidr>& entries, const IpAddress& address)
{
    Bitmap result{};
    int longest = -1;
    for (const PlanCidr& entry : entries) {
        if (entry.cidr.contains(address) && entry.cidr.prefix > longest) {
            longest = entry.cidr.prefix;
            result = entry.rules;
        }
    }
    return result;
}

TEST(CidrClosure, AgreesWithEachBlockAskedByItself)
{
    std::mt19937 random(1);
    for (int round = 0; round < 100; ++round) {
        const auto blocks = random_blocks(random, 12);
        std::vector<BlockBit> bits;
        for (uint32_t index = 0; index < blocks.size(); ++index)
            bits.push_back({&blocks[index], index % 5});
        const auto entries = close_cidrs(bits);
        for (int probe = 0; probe < 100; ++probe) {
            const IpAddress address = random_cidr(random, 32).address;
            Bitmap expected{};
            for (const auto& [one, bit] : bits) {
                if (holds(*one, address))
                    set_bit(expected, bit);
            }
            ASSERT_EQ(longest_match(entries, address), expected) << address.text();
        }
    }
}

TEST(CidrClosure, TenThousandBlocksTakeNoQuadraticTime)
{
    std::vector<IpBlock> blocks;
    for (uint32_t number = 0; number < 10000; ++number)
        blocks.push_back(block("10." + std::to_string(number / 250) + "." +
                               std::to_string(number % 250) + ".0/24"));
    std::vector<BlockBit> bits;
    for (uint32_t index = 0; index < blocks.size(); ++index)
        bits.push_back({&blocks[index], index % RULES_MAX});
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(close_cidrs(bits).size(), 10000u);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

PortBit span(uint16_t first, uint16_t last, uint32_t bit, Protocol protocol = Protocol::tcp)
{
    return {{protocol, {first, last}}, bit};
}

Bitmap longest_match(const std::vector<PlanPort>& entries, uint8_t protocol, uint16_t port)
{
    Bitmap result{};
    int longest = -1;
    for (const PlanPort& entry : entries) {
        if (entry.protocol == protocol && (entry.port ^ port) >> (16 - entry.prefix) == 0 &&
            entry.prefix > longest) {
            longest = entry.prefix;
            result = entry.rules;
        }
    }
    return result;
}

TEST(PortClosure, EveryPortHasTheBitsOfItsRanges)
{
    const std::vector<PortBit> spans{span(80, 80, 0),       span(1, 1023, 1),
                                     span(1000, 2000, 2),   span(0, 65535, 3),
                                     span(65535, 65535, 4), span(80, 90, 5, Protocol::udp)};
    const auto entries = close_ports(spans);
    for (uint32_t port = 0; port <= 65535; ++port) {
        for (const Protocol protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
            Bitmap expected{};
            for (const auto& [one, bit] : spans) {
                if (one.protocol == protocol && one.range.first <= port && port <= one.range.last)
                    set_bit(expected, bit);
            }
            ASSERT_EQ(
                longest_match(entries, static_cast<uint8_t>(protocol), static_cast<uint16_t>(port)),
                expected)
                << port;
        }
    }
}

TEST(PortClosure, RangeIsSplitIntoAsFewPrefixesAsPossible)
{
    EXPECT_EQ(close_ports({span(0, 65535, 0)}).size(), 1u);
    EXPECT_EQ(close_ports({span(32768, 65535, 0)}).size(), 1u);
    EXPECT_EQ(close_ports({span(1, 65534, 0)}).size(), 30u);
}

TEST(PortClosure, MergedSpansDoNotOverlapOrTouch)
{
    const auto result = merged({{Protocol::tcp, {10, 20}},
                                {Protocol::tcp, {21, 30}},
                                {Protocol::udp, {25, 26}},
                                {Protocol::tcp, {1, 5}},
                                {Protocol::tcp, {15, 18}},
                                {Protocol::tcp, {60000, 65535}}});
    EXPECT_THAT(result,
                ElementsAre(PortSpan{Protocol::tcp, {1, 5}}, PortSpan{Protocol::tcp, {10, 30}},
                            PortSpan{Protocol::tcp, {60000, 65535}},
                            PortSpan{Protocol::udp, {25, 26}}));
}

} // namespace
} // namespace ebpfd
