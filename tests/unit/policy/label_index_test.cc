// SPDX-License-Identifier: Apache-2.0
#include "policy/label_index.h"

#include <gtest/gtest.h>
#include <random>

namespace ebpfd {
namespace {

using Operator = Requirement::Operator;

Labels random_labels(std::mt19937& random)
{
    Labels result;
    for (const auto* key : {"a", "b", "c"}) {
        if (random() % 3 != 0)
            result[key] = std::string(1, static_cast<char>('x' + random() % 3));
    }
    return result;
}

Selector random_selector(std::mt19937& random)
{
    Selector result;
    for (size_t count = random() % 4; count > 0; --count) {
        Requirement one;
        one.key = std::string(1, static_cast<char>('a' + random() % 4));
        one.op = static_cast<Operator>(random() % 4);
        if (one.op == Operator::in || one.op == Operator::not_in) {
            for (size_t values = 1 + random() % 2; values > 0; --values)
                one.values.emplace_back(1, static_cast<char>('x' + random() % 4));
        }
        result.requirements.push_back(one);
    }
    return result;
}

TEST(LabelIndex, AgreesWithTheSelectorAskedOneByOne)
{
    std::mt19937 random(7);
    std::vector<Labels> objects;
    for (int count = 0; count < 130; ++count)
        objects.push_back(random_labels(random));
    LabelIndex index;
    for (uint32_t number = 0; number < objects.size(); ++number)
        index.add(number, objects[number]);
    for (int round = 0; round < 500; ++round) {
        const Selector selector = random_selector(random);
        const Bitset& selected = index.select(selector);
        for (size_t number = 0; number < objects.size(); ++number)
            ASSERT_EQ(selected.test(number), selector.matches(objects[number]));
    }
}

TEST(Bitset, FillSetsNothingBehindItsSize)
{
    for (const size_t size : {0u, 1u, 63u, 64u, 65u, 128u}) {
        Bitset set;
        set.fill(size);
        size_t count = 0;
        set.for_each([&](uint32_t) { ++count; });
        EXPECT_EQ(count, size);
    }
}

} // namespace
} // namespace ebpfd
