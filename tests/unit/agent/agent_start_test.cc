// SPDX-License-Identifier: Apache-2.0
#include "agent.h"

#include <arpa/inet.h>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace ebpfd {
namespace {

namespace fs = std::filesystem;

class AgentStart : public testing::Test {
protected:
    AgentStart()
    {
        std::string name = (fs::temp_directory_path() / "ebpfd-start-XXXXXX").string();
        dir_ = mkdtemp(name.data());
        for (const auto* folder : {"/p", "/i"})
            fs::create_directory(dir_ + folder);
        config_.policy = {{dir_ + "/p"}, true};
        config_.inventory = {{dir_ + "/i"}, true};
        config_.runtime_dir = dir_ + "/run";
        config_.bpffs = fmt::format("/sys/fs/bpf/test-start-{}", getpid());
        config_.node_name = "node";
    }
    ~AgentStart() override
    {
        (void)Datapath::detach(config_.bpffs);
        rmdir(config_.bpffs.c_str());
        fs::remove_all(dir_);
    }
    bool anything_pinned() const
    {
        return fs::exists(config_.bpffs) && !fs::is_empty(config_.bpffs);
    }

    std::string dir_;
    Config config_;
};

// A port of this machine that is in use.
struct BusyPort {
    BusyPort() : fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(bind(fd.get(), generic, length), 0);
        EXPECT_EQ(::listen(fd.get(), 1), 0);
        EXPECT_EQ(getsockname(fd.get(), generic, &length), 0);
        number = ntohs(address.sin_port);
    }
    Fd fd;
    uint16_t number = 0;
};

TEST_F(AgentStart, BusyPortLeavesNothingPinned)
{
    const BusyPort port;
    config_.metrics = ListenAddress{"127.0.0.1", port.number};
    const auto agent = Agent::start(config_);
    ASSERT_FALSE(agent);
    EXPECT_NE(agent.error().message.find("give another --metrics-listen"), std::string::npos)
        << agent.error().message;
    EXPECT_FALSE(anything_pinned());
}

TEST_F(AgentStart, BusyPortLeavesAloneWhatIsInForce)
{
    {
        const auto first = Agent::start(config_);
        ASSERT_TRUE(first) << first.error().message;
    }
    EXPECT_TRUE(anything_pinned());
    const BusyPort port;
    config_.metrics = ListenAddress{"127.0.0.1", port.number};
    EXPECT_FALSE(Agent::start(config_));
    EXPECT_TRUE(anything_pinned());
    config_.metrics.reset();
    EXPECT_TRUE(Agent::start(config_));
}

TEST_F(AgentStart, MissingFolderLeavesNothingPinned)
{
    config_.policy.paths = {dir_ + "/nowhere"};
    EXPECT_FALSE(Agent::start(config_));
    EXPECT_FALSE(anything_pinned());
}

} // namespace
} // namespace ebpfd
