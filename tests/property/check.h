// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sstream>

namespace property {

// Holds the property against that many random cases (RC_PARAMS="max_success=N" asks for more)
// and says how many there were; a case that fails is shrunk and printed.
template <class Testable> void check(int cases, Testable&& testable)
{
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    rc::detail::TestMetadata metadata;
    metadata.id = std::string(info->test_suite_name()) + "/" + info->name();
    metadata.description = info->name();
    rc::detail::TestParams params = rc::detail::configuration().testParams;
    params.maxSuccess = std::max(params.maxSuccess, cases);
    const auto result =
        rc::detail::checkTestable(std::forward<Testable>(testable), metadata, params);
    std::ostringstream message;
    rc::detail::printResultMessage(result, message);
    if (!result.template is<rc::detail::SuccessResult>())
        FAIL() << message.str();
    std::cout << message.str() << ", seed " << params.seed << std::endl;
}

} // namespace property
