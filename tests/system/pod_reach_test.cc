// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

namespace system_test {
namespace {

constexpr uint16_t metrics_port = 9464;

// Runs in a child that is root in a pod: the pod's network namespace, and a mount namespace whose
// root is empty, as that of a container without host mounts. Returns its exit code.
int in_container(const lab::Machine& pod, const std::string& empty_root,
                 const std::function<int()>& process)
{
    const ebpfd::Fd netns(open(pod.netns.path().c_str(), O_RDONLY | O_CLOEXEC));
    const pid_t child = fork();
    if (child == 0) {
        const bool inside = setns(netns.get(), CLONE_NEWNET) == 0 && unshare(CLONE_NEWNS) == 0 &&
                            mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                            mount("pod", empty_root.c_str(), "tmpfs", 0, nullptr) == 0 &&
                            chroot(empty_root.c_str()) == 0 && chdir("/") == 0;
        _exit(inside ? process() : 255);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The errno with which an attempt to connect ends; 0: it is connected.
template <class Address> int connect_to(const Address& address, socklen_t size)
{
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    const ebpfd::Fd fd(socket(generic->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{.tv_sec = 0, .tv_usec = 300'000};
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return connect(fd.get(), generic, size) == 0 ? 0 : errno;
}

int connect_to_socket(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return connect_to(address, sizeof address);
}

int connect_to_metrics(const std::string& host)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(metrics_port);
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    return connect_to(address, sizeof address);
}

// A pod, root in it included, and what the agent offers on its node.
class PodReach : public OnNode {
protected:
    void SetUp() override
    {
        OnNode::SetUp();
        ASSERT_EQ(agent().stop(), exit_ok);
        ASSERT_TRUE(agent().start({"--metrics-listen", fmt::format("127.0.0.1:{}", metrics_port)}))
            << agent().process().err();
        empty_root_ = agent().root() / "empty";
        std::filesystem::create_directories(empty_root_);
    }
    void TearDown() override
    {
        if (world_ != nullptr)
            (void)agent().stop();
    }
    int in_pod(const std::function<int()>& process)
    {
        return in_container(machine("web"), empty_root_, process);
    }

    std::string empty_root_;
};
INSTANTIATE_TEST_SUITE_P(Agent, PodReach, testing::Values(std::tuple(Wiring::routed, Family::v4)),
                         node_name);

TEST_P(PodReach, EndsBeforeTheApi)
{
    const std::string socket = agent().runtime() / "ebpfd.sock";
    ASSERT_EQ(connect_to_socket(socket), 0) << "from the node it is there";
    EXPECT_EQ(in_pod([&] { return connect_to_socket(socket); }), ENOENT);
    EXPECT_EQ(in_pod([&] { return open(agent().bpffs().c_str(), O_RDONLY) < 0 ? errno : 0; }),
              ENOENT);
}

// Sockets without a path belong to a network namespace, and would be everybody's in it who is
// on the host network.
TEST_P(PodReach, FindsNoSocketWithoutAPath)
{
    std::string all;
    machine("node").netns.enter([&] {
        std::ifstream file(fmt::format("/proc/thread-self/net/unix"));
        all.assign(std::istreambuf_iterator<char>(file), {});
    });
    EXPECT_THAT(all, testing::HasSubstr("ebpfd.sock"));
    EXPECT_THAT(all, testing::Not(testing::HasSubstr(" @")));
}

TEST_P(PodReach, EndsBeforeMetricsOfTheNodesLoopback)
{
    int from_node = -1;
    machine("node").netns.enter([&] { from_node = connect_to_metrics("127.0.0.1"); });
    ASSERT_EQ(from_node, 0);
    for (const std::string& host : {std::string("127.0.0.1"), machine("node").v4})
        EXPECT_EQ(in_pod([&] { return connect_to_metrics(host); }), ECONNREFUSED) << host;
}

// Its signals end at its own processes: the node's do not exist for it.
TEST_P(PodReach, EndsBeforeTheAgentsProcess)
{
    const pid_t pid = agent().process().pid();
    const int code = in_pod([&] {
        if (unshare(CLONE_NEWPID) != 0)
            return 255;
        const pid_t child = fork();
        if (child == 0)
            _exit(kill(pid, SIGKILL) == 0 ? 0 : errno);
        int status = 0;
        waitpid(child, &status, 0);
        return WEXITSTATUS(status);
    });
    EXPECT_EQ(code, ESRCH);
    EXPECT_TRUE(agent().running());
}

} // namespace
} // namespace system_test
