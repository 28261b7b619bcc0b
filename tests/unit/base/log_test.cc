// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"
#include "base/log.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace ebpfd {
namespace {

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

// Tells the process, as systemd does, that what stderr is while this lives is the journal.
class Journal {
public:
    Journal()
    {
        std::string path = testing::TempDir() + "journal.XXXXXX";
        Fd file(mkstemp(path.data()));
        unlink(path.c_str());
        dup2(file.get(), STDERR_FILENO);
        struct stat status {};
        fstat(file.get(), &status);
        setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, status.st_ino).c_str(), 1);
    }
    ~Journal()
    {
        unsetenv("JOURNAL_STREAM");
        dup2(stderr_.get(), STDERR_FILENO);
    }
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    std::string read() const
    {
        std::string text(4096, '\0');
        const ssize_t size = pread(STDERR_FILENO, text.data(), text.size(), 0);
        return text.substr(0, static_cast<size_t>(std::max<ssize_t>(size, 0)));
    }

private:
    Fd stderr_{dup(STDERR_FILENO)};
};

TEST(Log, JournalIsToldTheLevelAndNoTime)
{
    const Journal journal;
    ASSERT_TRUE(setup_logging("debug", "text"));
    spdlog::error("a\nb");
    spdlog::warn("c");
    spdlog::info("d");
    spdlog::debug("e");
    EXPECT_EQ(journal.read(), "<3>a\\nb\n<4>c\n<6>d\n<7>e\n");
}

TEST(Log, JournalIsToldTheLevelOfJson)
{
    const Journal journal;
    ASSERT_TRUE(setup_logging("info", "json"));
    spdlog::warn("c");
    EXPECT_TRUE(journal.read().starts_with("<4>{\"time\":")) << journal.read();
}

TEST(Log, JournalIsToldOfErrorsBeforeThereIsALog)
{
    const Journal journal;
    print_errors("a\nb\n");
    EXPECT_EQ(journal.read(), "<3>a\n<3>b\n");
}

TEST(Log, AnotherProgramsJournalIsNoneOfOurs)
{
    setenv("JOURNAL_STREAM", "1:2", 1);
    const auto text = logged("text", [] { spdlog::warn("c"); });
    unsetenv("JOURNAL_STREAM");
    EXPECT_TRUE(text.ends_with("Z warn  c\n")) << text;
}

TEST(Log, UnknownLevelAndFormatAreErrors)
{
    EXPECT_FALSE(setup_logging("loud", "text"));
    EXPECT_FALSE(setup_logging("info", "xml"));
}

} // namespace
} // namespace ebpfd
