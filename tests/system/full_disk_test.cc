// SPDX-License-Identifier: Apache-2.0
#include "system/volume.h"
#include "system/world.h"

#include <fstream>
#include <gmock/gmock.h>

namespace system_test {
namespace {

using testing::HasSubstr;

// The agent's own folder, and its flow log, on a disk that is full.
class FullDisk : public OnRoutedPods {
protected:
    void SetUp() override
    {
        ASSERT_NO_FATAL_FAILURE(OnRoutedPods::SetUp());
        (void)agent().stop();
        disk_.emplace(agent().runtime(), "256k");
        ASSERT_TRUE(start()) << agent().process().err();
    }
    // The next test has an agent without a flow log, and a folder that is its own.
    void TearDown() override
    {
        (void)agent().stop();
        disk_.reset();
        std::filesystem::remove_all(agent().runtime());
    }
    bool start() { return agent().start({"--flow-log", agent().runtime() / "flows.jsonl"}); }
    std::filesystem::path filler() { return agent().runtime() / "filler"; }
    void fill()
    {
        std::ofstream out(filler());
        const std::string block(4096, 'x');
        while (out << block << std::flush) {
        }
    }
    bool status_says(const std::string& words)
    {
        return lab::eventually([&] {
            const auto status = agent().ctl({"status"});
            return status.exit == exit_degraded && status.out.find(words) != std::string::npos;
        });
    }

    std::optional<Volume> disk_;
};

TEST_F(FullDisk, ChangesAreInForceAndStatusSaysWhatIsNotWritten)
{
    enforce({db_allows(80)});
    EXPECT_EQ(agent().ctl({"status"}).exit, exit_ok);
    fill();
    enforce({db_allows(8080)});
    EXPECT_TRUE(db_has_open(8080, 80));
    EXPECT_TRUE(status_says("should a file break"));
    EXPECT_TRUE(status_says("flow log"));
    EXPECT_TRUE(status_says("No space left on device"));
    // An agent that is killed and starts on it goes on.
    agent().process().signal(SIGKILL);
    ASSERT_TRUE(lab::eventually([this] { return !agent().running(); }));
    EXPECT_TRUE(db_has_open(8080, 80));
    ASSERT_TRUE(start()) << agent().process().err();
    EXPECT_TRUE(db_has_open(8080, 80));
    EXPECT_TRUE(status_says("No space left on device"));
    std::filesystem::remove(filler());
    EXPECT_TRUE(lab::eventually([this] { return agent().ctl({"status"}).exit == exit_ok; },
                                std::chrono::seconds(30)));
    EXPECT_TRUE(db_has_open(8080, 80));
}

} // namespace
} // namespace system_test
