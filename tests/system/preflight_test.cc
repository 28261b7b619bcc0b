// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <unistd.h>

namespace system_test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// What keeps an agent from starting is said in one sentence, with exit code 1.
class Preflight : public testing::Test {
protected:
    void SetUp() override
    {
        auto made = lab::Node::make(Wiring::routed);
        ASSERT_TRUE(made) << made.error().message;
        node_ = std::move(*made);
        agent_ = std::make_unique<Agent>(*node_);
    }
    lab::Finished start(const lab::Argv& options, const lab::Argv& wrapper = {})
    {
        lab::Argv argv = wrapper;
        const lab::Argv own = agent_->command(options);
        argv.insert(argv.end(), own.begin(), own.end());
        return lab::run(argv, node_->host().netns.path());
    }
    static long lines(const std::string& text)
    {
        return std::count(text.begin(), text.end(), '\n');
    }

    std::unique_ptr<lab::Node> node_;
    std::unique_ptr<Agent> agent_;
};

TEST_F(Preflight, BpffsMustBeAMountedOne)
{
    const std::string folder = agent_->root() / "no-bpffs";
    const auto failed = start({"--bpffs", folder, "--log-level", "error"});
    EXPECT_EQ(failed.exit, exit_failed);
    EXPECT_THAT(failed.err, HasSubstr(folder));
    EXPECT_THAT(failed.err, HasSubstr("mount"));
    EXPECT_EQ(lines(failed.err), 1) << failed.err;
}

TEST_F(Preflight, FoldersMustExist)
{
    for (const std::string option : {"--policy-dir", "--inventory-dir"}) {
        const std::string folder = agent_->root() / "nowhere";
        const auto failed = start({option, folder, "--log-level", "error"});
        EXPECT_EQ(failed.exit, exit_failed) << option;
        EXPECT_THAT(failed.err, HasSubstr(folder));
        EXPECT_EQ(lines(failed.err), 1) << failed.err;
    }
}

// Root's right to everybody's files is given up before the first look.
TEST_F(Preflight, FoldersOfOthersMustBeOpenToRoot)
{
    const auto home = agent_->root() / "home";
    std::filesystem::create_directories(home / "policies");
    ASSERT_EQ(chown(home.c_str(), 65534, 65534), 0);
    std::filesystem::permissions(home, std::filesystem::perms::owner_all);
    const auto failed = start({"--policy-dir", home / "policies", "--log-level", "error"});
    EXPECT_EQ(failed.exit, exit_failed);
    EXPECT_THAT(failed.err, HasSubstr("--sandbox off"));
    EXPECT_EQ(lines(failed.err), 1) << failed.err;
}

TEST_F(Preflight, CapabilitiesAreNeeded)
{
    const auto failed = start({"--log-level", "error"},
                              {"setpriv", "--bounding-set", "-all", "--inh-caps", "-all"});
    EXPECT_EQ(failed.exit, exit_failed);
    EXPECT_THAT(failed.err, ContainsRegex("CAP_|root"));
    EXPECT_EQ(lines(failed.err), 1) << failed.err;
}

TEST_F(Preflight, UnknownOptionIsAMatterOfUsage)
{
    EXPECT_EQ(start({"--no-such-option"}).exit, exit_usage);
    EXPECT_EQ(start({"--mode", "sometimes"}).exit, exit_usage);
    EXPECT_EQ(agent_->ctl({"no-such-command"}).exit, exit_usage);
}

TEST_F(Preflight, ConfigFileGivesOptionsAndFlagsWin)
{
    const auto config = agent_->root() / "ebpfd.yaml";
    replace_file(config, "mode: audit\nlog-level: debug\n");
    ASSERT_TRUE(agent_->start({"--config", config}));
    EXPECT_THAT(agent_->ask({"status", "-o", "json"}), ContainsRegex("\"mode\": ?\"audit\""));
    EXPECT_EQ(agent_->stop(), exit_ok);
    ASSERT_TRUE(agent_->start({"--config", config, "--mode", "enforce"}));
    EXPECT_THAT(agent_->ask({"status", "-o", "json"}), ContainsRegex("\"mode\": ?\"enforce\""));
}

TEST_F(Preflight, HealthAndMetricsAreServed)
{
    ASSERT_TRUE(agent_->start({"--metrics-listen", "127.0.0.1:9464"}));
    const auto get = [this](const std::string& path) {
        const auto socket = lab::Socket::connect(node_->host(), Transport::tcp, "127.0.0.1", 9464);
        std::string answer;
        if (socket.outcome(lab::patience) != lab::Outcome::connected ||
            !socket.send("GET " + path + " HTTP/1.0\r\nHost: node\r\n\r\n"))
            return answer;
        while (const auto part = socket.receive())
            answer += *part;
        return answer;
    };
    EXPECT_THAT(get("/healthz"), HasSubstr("200"));
    EXPECT_THAT(get("/readyz"), HasSubstr("200"));
    EXPECT_THAT(get("/metrics"), HasSubstr("\nebpfd_"));
}

} // namespace
} // namespace system_test
