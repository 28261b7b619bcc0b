// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>

namespace ebpfd
{
namespace
{

// What is logged to stderr while it is called.
template <class F> std::string logged(std::string_view format, F&& log)
{
    testing::internal::CaptureStderr();
    EXPECT_TRUE(setup_logging("info", format));
    log();
    return testing::internal::GetCapturedStderr();
}

TEST(Log, JsonIsOneValidObjectALine)
{
    const auto text = logged("json", [] {
        spdlog::warn("quotes \" and\nlines \\ and \x1b and bad \xff bytes");
        spdlog::info("second");
    });
    const auto end = text.find('\n');
    ASSERT_NE(end, std::string::npos);
    const auto first = nlohmann::json::parse(text.substr(0, end));
    EXPECT_EQ(first["level"], "warn");
    EXPECT_EQ(first["message"], "quotes \" and\nlines \\ and \x1b and bad \xef\xbf\xbd bytes");
    EXPECT_EQ(first["time"].get<std::string>().size(),
              std::string("2026-01-31T23:59:59.123Z").size());
    const auto second = nlohmann::json::parse(text.substr(end + 1));
    EXPECT_EQ(second["message"], "second");
}

TEST(Log, TextEscapesControlCharacters)
{
    const auto text = logged("text", [] { spdlog::error("pod {}", "a\x1b[2J\nfake line"); });
    EXPECT_NE(text.find(" error pod a\\x1b[2J\\nfake line\n"), std::string::npos) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(Log, LevelHidesWhatIsBelow)
{
    const auto text = logged("text", [] {
        spdlog::debug("hidden");
        spdlog::info("shown");
    });
    EXPECT_EQ(text.find("hidden"), std::string::npos);
    EXPECT_NE(text.find("shown"), std::string::npos);
}

TEST(Log, UnknownLevelAndFormatAreErrors)
{
    EXPECT_FALSE(setup_logging("loud", "text"));
    EXPECT_FALSE(setup_logging("info", "xml"));
}

} // namespace
} // namespace ebpfd
