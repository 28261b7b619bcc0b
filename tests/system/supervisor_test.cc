// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <gmock/gmock.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

namespace system_test {
namespace {

using testing::HasSubstr;

// What systemd is to the agent: a socket that it tells how it is.
class Supervised : public OnNode {
protected:
    void SetUp() override
    {
        OnNode::SetUp();
        ASSERT_EQ(agent().stop(), exit_ok);
        path_ = agent().root() / "notify";
        socket_ = ebpfd::Fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path_.copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    void TearDown() override
    {
        if (world_ == nullptr)
            return;
        agent().start_by({});
        (void)agent().stop();
        unlink(path_.c_str());
    }
    void launch(const std::string& watchdog_usec)
    {
        agent().start_by({"env", "NOTIFY_SOCKET=" + path_, "WATCHDOG_USEC=" + watchdog_usec});
        agent().launch();
    }
    // Whether a message with this line comes in time. Those before it are kept in said_.
    bool says(const std::string& line, lab::Milliseconds timeout = lab::Milliseconds{10000})
    {
        return lab::eventually(
            [&] {
                std::array<char, 4096> text{};
                const auto size = recv(socket_.get(), text.data(), text.size(), 0);
                if (size <= 0)
                    return false;
                said_.emplace_back(text.data(), static_cast<size_t>(size));
                return ("\n" + said_.back() + "\n").find("\n" + line) != std::string::npos;
            },
            timeout);
    }
    size_t count(const std::string& line) const
    {
        return static_cast<size_t>(std::ranges::count_if(
            said_, [&](const std::string& text) { return text.starts_with(line); }));
    }

    std::string path_;
    ebpfd::Fd socket_;
    std::vector<std::string> said_;
};
INSTANTIATE_TEST_SUITE_P(Agent, Supervised, testing::Values(std::tuple(Wiring::routed, Family::v4)),
                         node_name);

TEST_P(Supervised, IsToldWhenPoliciesAreInForceAndOfReloadsAndTheEnd)
{
    const auto closed = policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: []}");
    replace_file(agent().policies() / closed.name, closed.text);
    launch("60000000");
    ASSERT_TRUE(says("READY=1")) << agent().process().err();
    EXPECT_TRUE(traffic({no("web", "db", 80)}));
    EXPECT_EQ(count("STATUS=enforcing 1 policies on 4 interfaces"), 1u)
        << testing::PrintToString(said_);
    agent().process().signal(SIGHUP);
    ASSERT_TRUE(says("RELOADING=1"));
    EXPECT_THAT(said_.back(), HasSubstr("MONOTONIC_USEC="));
    ASSERT_TRUE(says("READY=1"));
    replace_file(agent().policies() / "broken.yaml", "kind: [");
    ASSERT_TRUE(says("STATUS=enforcing 1 policies on 4 interfaces; something is wrong"));
    std::filesystem::remove(agent().policies() / "broken.yaml");
    agent().process().signal(SIGTERM);
    EXPECT_TRUE(says("STOPPING=1"));
}

// The loop itself gives the signs: one that hangs gives none.
TEST_P(Supervised, GetsSignsOfLifeFromTheMainLoopAlone)
{
    launch("400000");
    ASSERT_TRUE(says("READY=1")) << agent().process().err();
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(says("WATCHDOG=1", lab::Milliseconds{2000}));
    // The first thread is the main loop; a tracer halts it alone.
    const pid_t loop = agent().process().pid();
    ASSERT_EQ(ptrace(PTRACE_SEIZE, loop, nullptr, nullptr), 0);
    ASSERT_EQ(ptrace(PTRACE_INTERRUPT, loop, nullptr, nullptr), 0);
    ASSERT_EQ(waitpid(loop, nullptr, __WALL), loop);
    while (says("WATCHDOG=1", lab::Milliseconds{0})) // sent before
        ;
    EXPECT_FALSE(says("WATCHDOG=1", lab::Milliseconds{1000}));
    EXPECT_EQ(agent().ctl({"status"}).exit, exit_ok) << "other threads go on";
    ASSERT_EQ(ptrace(PTRACE_DETACH, loop, nullptr, nullptr), 0);
    EXPECT_TRUE(says("WATCHDOG=1"));
}

} // namespace
} // namespace system_test
