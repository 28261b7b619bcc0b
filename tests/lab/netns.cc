// SPDX-License-Identifier: Apache-2.0
#include "lab/netns.h"

#include "lab/process.h"

#include <atomic>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace lab {
namespace {

constexpr std::string_view prefix = "lab-";
const std::filesystem::path folder = "/run/netns";

ebpfd::Result<void> ip_command(const Argv& argv)
{
    const Finished finished = run(argv);
    if (finished.exit != 0)
        return ebpfd::fail(0, "ip: exit " + std::to_string(finished.exit) + ": " + finished.err);
    return {};
}

} // namespace

ebpfd::Result<NetNamespace> NetNamespace::create(std::string_view role)
{
    static std::atomic<int> count = 0;
    NetNamespace made;
    const std::string name = std::string(prefix) + std::to_string(getpid()) + "-" +
                             std::to_string(++count) + "-" + std::string(role);
    if (auto added = ip_command({"ip", "netns", "add", name}); !added)
        return ebpfd::fail("add namespace " + name, std::move(added.error()));
    made.name_ = name;
    made.fd_ = ebpfd::Fd(open(made.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!made.fd_)
        return ebpfd::fail_errno("open namespace " + name);
    return made;
}

NetNamespace::~NetNamespace()
{
    if (fd_)
        (void)ip_command({"ip", "netns", "delete", name_});
}

std::string NetNamespace::path() const
{
    return folder / name_;
}

void NetNamespace::enter(const std::function<void()>& function) const
{
    std::jthread([&] {
        if (setns(fd_.get(), CLONE_NEWNET) == 0)
            function();
    }).join();
}

ebpfd::Result<void> NetNamespace::ip(const std::string& batch) const
{
    std::string file = "/tmp/ebpfd-lab-batch-XXXXXX";
    const ebpfd::Fd fd(mkstemp(file.data()));
    std::ofstream(file) << batch;
    auto done = ip_command({"ip", "-n", name_, "-batch", file});
    unlink(file.c_str());
    if (!done)
        return ebpfd::fail("set up " + name_, std::move(done.error()));
    return {};
}

ebpfd::Result<void> NetNamespace::sysctl(std::string_view key, std::string_view value) const
{
    bool written = false;
    enter([&] {
        std::ofstream file("/proc/sys/net/" + std::string(key));
        file << value << std::flush;
        written = file.good();
    });
    if (!written)
        return ebpfd::fail(0, "sysctl " + std::string(key) + " in " + name_ + " failed");
    return {};
}

void remove_leftovers()
{
    std::error_code error;
    std::vector<std::string> stale;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename();
        pid_t owner = 0;
        if (!name.starts_with(prefix))
            continue;
        const char* digits = name.c_str() + prefix.size();
        if (std::from_chars(digits, name.c_str() + name.size(), owner).ec == std::errc{} &&
            kill(owner, 0) != 0)
            stale.push_back(name);
    }
    for (const std::string& name : stale)
        (void)ip_command({"ip", "netns", "delete", name});
}

} // namespace lab
