// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace lab {

using Argv = std::vector<std::string>;
using Milliseconds = std::chrono::milliseconds;

// Asks until the answer is yes or the time is up; returns the last answer.
bool eventually(const std::function<bool()>& condition,
                Milliseconds timeout = std::chrono::seconds(10));

// A child process with its output in a file; ended, by its pid, with this object at the latest.
class Process {
public:
    // netns: path of the network namespace to start in, or empty. The mount namespace stays,
    // so that /sys/fs/bpf is seen. A program that cannot be started exits with 127.
    static Process start(const Argv& argv, const std::string& netns = {});
    Process(Process&& other) noexcept;
    Process& operator=(Process&& other) noexcept;
    ~Process();

    pid_t pid() const { return pid_; }
    bool running();
    // What it has written to stdout and stderr so far.
    std::string out() const;
    std::string err() const;
    void signal(int number) const;
    // Its exit code, 128 + N if signal N ended it; nothing if it still runs when time is up.
    std::optional<int> wait(Milliseconds timeout = std::chrono::seconds(20));
    // SIGTERM, then the exit code; SIGKILL, and nothing, if it does not end in time.
    std::optional<int> stop();

private:
    Process() = default;
    void end();

    pid_t pid_ = -1;
    std::optional<int> exit_;
    std::string out_path_;
    std::string err_path_;
};

struct Finished {
    int exit = -1; // -1: it did not end in time
    std::string out;
    std::string err;
};

Finished run(const Argv& argv, const std::string& netns = {},
             Milliseconds timeout = std::chrono::seconds(30));

} // namespace lab
