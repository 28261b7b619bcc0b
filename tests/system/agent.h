// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "lab/node.h"
#include "lab/process.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace system_test {

// What ebpfctl and ebpfd exit with.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_not_found = 3;
inline constexpr int exit_unreachable = 4;
inline constexpr int exit_permission = 5;
inline constexpr int exit_degraded = 6;
inline constexpr int exit_denied = 10;

// The built ebpfd on a node, with folders of its own; ended and detached with this object.
class Agent {
public:
    explicit Agent(const lab::Node& node);
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;
    ~Agent();

    // The command line that start() uses: for agents that are to fail.
    lab::Argv command(const lab::Argv& options = {}) const;
    // Starts it and waits until all that lies in its folders is in force.
    bool start(const lab::Argv& options = {});
    // The start alone.
    void launch(const lab::Argv& options = {});
    // From now on it is started by this command, which its own command line is given to.
    void start_by(lab::Argv command) { start_by_ = std::move(command); }
    // SIGTERM; its exit code.
    std::optional<int> stop();
    bool running() { return process_ && process_->running(); }
    const lab::Process& process() const { return *process_; }
    // How often its log has these words, since it was started.
    size_t times_it_said(std::string_view words) const;
    // `ebpfd --detach`.
    lab::Finished detach() const;

    // ebpfctl with this agent's folders.
    lab::Finished ctl(const lab::Argv& arguments) const;
    // Its standard output; a note of what went wrong unless it exits with 0.
    std::string ask(const lab::Argv& arguments) const;
    // `status --wait`: 0, or 6 if a file is refused.
    lab::Finished settle() const { return ctl({"status", "--wait"}); }

    const std::filesystem::path& policies() const { return policies_; }
    const std::filesystem::path& inventory() const { return inventory_; }
    const std::filesystem::path& root() const { return root_; }
    const std::filesystem::path& bpffs() const { return bpffs_; }
    std::filesystem::path runtime() const { return root_ / "run"; }

private:
    std::string netns_;
    std::filesystem::path root_;
    std::filesystem::path policies_;
    std::filesystem::path inventory_;
    std::filesystem::path bpffs_;
    lab::Argv start_by_;
    std::optional<lab::Process> process_;
};

// Writes beside the file, hidden, and renames: what a careful writer does.
void replace_file(const std::filesystem::path& file, const std::string& text);

} // namespace system_test
