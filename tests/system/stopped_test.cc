// SPDX-License-Identifier: Apache-2.0
#include "system/hung_volume.h"
#include "system/world.h"

#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>

namespace system_test {
namespace {

using testing::HasSubstr;

constexpr uint16_t metrics_port = 9465;

// An agent that does nothing for a while: the datapath goes on, and the agent makes it good.
class Stopped : public OnRoutedPods {
protected:
    void SetUp() override
    {
        ASSERT_NO_FATAL_FAILURE(OnRoutedPods::SetUp());
        (void)agent().stop();
        ASSERT_TRUE(agent().start(options()));
        enforce({db_allows(80)});
    }
    void TearDown() override { (void)agent().stop(); }
    static lab::Argv options()
    {
        return {"--metrics-listen", fmt::format("127.0.0.1:{}", metrics_port)};
    }
    size_t times_it_waits_for(const std::filesystem::path& folder)
    {
        return agent().times_it_said("waits for " + folder.string());
    }
    // The status line and what follows.
    std::string health() const
    {
        const auto socket =
            lab::Socket::connect(world_->node().host(), Transport::tcp, "127.0.0.1", metrics_port);
        std::string answer;
        if (socket.outcome(lab::patience) != lab::Outcome::connected ||
            !socket.send("GET /healthz HTTP/1.0\r\nHost: node\r\n\r\n"))
            return answer;
        while (const auto part = socket.receive())
            answer += *part;
        return answer;
    }
};

TEST_F(Stopped, ByASignalWhileEventsAreLost)
{
    uint64_t queue = 0;
    ASSERT_TRUE(std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> queue);
    agent().process().signal(SIGSTOP);
    const auto one = agent().policies() / "one.txt";
    const auto two = agent().policies() / "two.txt";
    std::ofstream{one};
    for (uint64_t renamed = 0; renamed <= queue / 4; ++renamed) {
        std::filesystem::rename(one, two);
        std::filesystem::rename(two, one);
    }
    replace_file(agent().policies() / db_allows(8080).name, db_allows(8080).text);
    EXPECT_TRUE(db_has_open(80, 8080));
    agent().process().signal(SIGCONT);
    // Nobody asks for a rescan.
    EXPECT_TRUE(lab::eventually([this] { return static_cast<bool>(db_has_open(8080, 80)); }));
    EXPECT_EQ(agent().ctl({"status"}).exit, exit_ok);
    std::filesystem::remove(one);
}

TEST_F(Stopped, ByAFileSystemThatDoesNotAnswer)
{
    EXPECT_THAT(health(), HasSubstr(" 200 "));
    {
        HungVolume volume(agent().policies());
        EXPECT_TRUE(lab::eventually([this] { return health().find(" 503 ") != std::string::npos; },
                                    std::chrono::seconds(30)));
        EXPECT_THAT(health(), HasSubstr("the main loop hangs"));
        EXPECT_THAT(agent().process().err(), HasSubstr("waits for " + agent().policies().string()));
        const auto status = agent().ctl({"status"});
        EXPECT_EQ(status.exit, exit_degraded);
        EXPECT_THAT(status.out, HasSubstr("waits for " + agent().policies().string()));
        EXPECT_EQ(agent().ctl({"status", "--wait", "--timeout", "1s"}).exit, exit_failed);
        EXPECT_TRUE(db_has_open(80, 8080));
        volume.give_up();
        EXPECT_EQ(agent().settle().exit, exit_degraded);
        EXPECT_THAT(health(), HasSubstr(" 200 "));
        EXPECT_TRUE(db_has_open(80, 8080));
    }
    EXPECT_EQ(agent().settle().exit, exit_ok);
    EXPECT_TRUE(db_has_open(80, 8080));
    const size_t said = times_it_waits_for(agent().policies());
    HungVolume again(agent().policies());
    EXPECT_TRUE(lab::eventually([&] { return times_it_waits_for(agent().policies()) > said; }));
    EXPECT_EQ(agent().stop(), 128 + SIGTERM);
    EXPECT_TRUE(db_has_open(80, 8080));
}

class StoppedAtItsStart : public Stopped, public testing::WithParamInterface<Hangs> {};
INSTANTIATE_TEST_SUITE_P(FileSystem, StoppedAtItsStart,
                         testing::Values(Hangs::always, Hangs::when_opened), [](const auto& test) {
                             return test.param == Hangs::always ? "hangs" : "hangs_when_opened";
                         });

// It says what it waits for, can be ended, and goes on by itself.
TEST_P(StoppedAtItsStart, ByAFileSystemThatDoesNotAnswer)
{
    for (const auto& folder : {agent().policies(), agent().inventory()}) {
        (void)agent().stop();
        {
            HungVolume volume(folder, GetParam());
            agent().launch(options());
            const auto says = [&] { return times_it_waits_for(folder) > 0; };
            EXPECT_TRUE(lab::eventually(says)) << agent().process().err();
            const auto status = agent().ctl({"status"});
            EXPECT_EQ(status.exit, exit_degraded);
            EXPECT_THAT(status.out, HasSubstr("waits for " + folder.string()));
            EXPECT_THAT(health(), HasSubstr(" 200 "));
            EXPECT_TRUE(db_has_open(80, 8080));
            EXPECT_EQ(volume.was_opened(), GetParam() == Hangs::when_opened);
            EXPECT_EQ(agent().stop(), 128 + SIGTERM);
            EXPECT_TRUE(db_has_open(80, 8080));
            agent().launch();
            EXPECT_TRUE(lab::eventually(says)) << agent().process().err();
        }
        EXPECT_TRUE(lab::eventually([this] { return agent().settle().exit == exit_ok; }));
        EXPECT_TRUE(db_has_open(80, 8080));
        EXPECT_EQ(agent().stop(), exit_ok);
    }
}

} // namespace
} // namespace system_test
