// SPDX-License-Identifier: Apache-2.0
#include "model/objects.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using Operator = Requirement::Operator;

Selector selector(std::vector<Requirement> requirements)
{
    return {std::move(requirements)};
}

const Labels WEB{{"app", "web"}, {"tier", ""}};

TEST(Selector, EmptyMatchesEverything)
{
    EXPECT_TRUE(selector({}).matches(WEB));
    EXPECT_TRUE(selector({}).matches({}));
}

TEST(Selector, InNeedsTheKeyWithOneOfTheValues)
{
    EXPECT_TRUE(selector({{"app", Operator::in, {"db", "web"}}}).matches(WEB));
    EXPECT_FALSE(selector({{"app", Operator::in, {"db"}}}).matches(WEB));
    EXPECT_FALSE(selector({{"app", Operator::in, {"web"}}}).matches({}));
    EXPECT_FALSE(selector({{"zone", Operator::in, {""}}}).matches(WEB));
    EXPECT_TRUE(selector({{"tier", Operator::in, {""}}}).matches(WEB));
}

TEST(Selector, NotInMatchesObjectsWithoutTheKey)
{
    EXPECT_TRUE(selector({{"app", Operator::not_in, {"web"}}}).matches({}));
    EXPECT_TRUE(selector({{"app", Operator::not_in, {"db"}}}).matches(WEB));
    EXPECT_FALSE(selector({{"app", Operator::not_in, {"db", "web"}}}).matches(WEB));
}

TEST(Selector, ExistsLooksAtTheKeyAlone)
{
    EXPECT_TRUE(selector({{"tier", Operator::exists, {}}}).matches(WEB));
    EXPECT_FALSE(selector({{"zone", Operator::exists, {}}}).matches(WEB));
    EXPECT_TRUE(selector({{"zone", Operator::does_not_exist, {}}}).matches(WEB));
    EXPECT_FALSE(selector({{"tier", Operator::does_not_exist, {}}}).matches(WEB));
}

TEST(Selector, AllRequirementsMustHold)
{
    const Requirement web{"app", Operator::in, {"web"}};
    EXPECT_TRUE(selector({web, {"tier", Operator::exists, {}}}).matches(WEB));
    EXPECT_FALSE(selector({web, {"zone", Operator::exists, {}}}).matches(WEB));
}

} // namespace
} // namespace ebpfd
