// SPDX-License-Identifier: Apache-2.0
#include "lab/process.h"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace lab {
namespace {

constexpr Milliseconds poll_interval{5};

std::string temporary_file()
{
    std::string path = "/tmp/ebpfd-lab-output-XXXXXX";
    const int fd = mkstemp(path.data());
    if (fd >= 0)
        close(fd);
    return path;
}

std::string contents(const std::string& path)
{
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return std::move(text).str();
}

// Between fork and exec: only calls that are safe in the child of a program with threads.
[[noreturn]] void become(char* const* argv, int netns, int out, int err)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (netns >= 0 && setns(netns, CLONE_NEWNET) != 0)
        _exit(127);
    if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(127);
    execvp(argv[0], argv);
    _exit(127);
}

} // namespace

bool eventually(const std::function<bool()>& condition, Milliseconds timeout)
{
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            return condition();
        std::this_thread::sleep_for(poll_interval);
    }
    return true;
}

Process Process::start(const Argv& argv, const std::string& netns)
{
    Process process;
    process.out_path_ = temporary_file();
    process.err_path_ = temporary_file();
    const int out = open(process.out_path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    const int err = open(process.err_path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    const int ns = netns.empty() ? -1 : open(netns.c_str(), O_RDONLY | O_CLOEXEC);
    std::vector<char*> arguments;
    arguments.reserve(argv.size() + 1);
    for (const std::string& argument : argv)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const bool lost = !netns.empty() && ns < 0;
    process.pid_ = fork();
    if (process.pid_ == 0) {
        if (lost)
            _exit(127);
        become(arguments.data(), ns, out, err);
    }
    for (const int fd : {out, err, ns})
        if (fd >= 0)
            close(fd);
    return process;
}

Process::Process(Process&& other) noexcept
{
    *this = std::move(other);
}

Process& Process::operator=(Process&& other) noexcept
{
    std::swap(pid_, other.pid_);
    std::swap(exit_, other.exit_);
    std::swap(out_path_, other.out_path_);
    std::swap(err_path_, other.err_path_);
    return *this;
}

Process::~Process()
{
    end();
    for (const std::string& path : {out_path_, err_path_})
        if (!path.empty())
            unlink(path.c_str());
}

bool Process::running()
{
    int status = 0;
    if (pid_ <= 0 || exit_)
        return false;
    if (waitpid(pid_, &status, WNOHANG) == 0)
        return true;
    exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return false;
}

std::string Process::out() const
{
    return contents(out_path_);
}

std::string Process::err() const
{
    return contents(err_path_);
}

void Process::signal(int number) const
{
    if (pid_ > 0 && !exit_)
        kill(pid_, number);
}

std::optional<int> Process::wait(Milliseconds timeout)
{
    eventually([this] { return !running(); }, timeout);
    return exit_;
}

std::optional<int> Process::stop()
{
    signal(SIGTERM);
    const auto code = wait();
    if (!code)
        end();
    return code;
}

void Process::end()
{
    if (!running())
        return;
    signal(SIGKILL);
    wait();
}

Finished run(const Argv& argv, const std::string& netns, Milliseconds timeout)
{
    Process process = Process::start(argv, netns);
    const auto code = process.wait(timeout);
    return {code.value_or(-1), process.out(), process.err()};
}

} // namespace lab
