// SPDX-License-Identifier: Apache-2.0
#include "system/agent.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>
#include <utility>

namespace system_test {
namespace {

const std::filesystem::path maps = "/sys/fs/bpf";

// A process that was killed may have left something under the same number.
std::string unused_name()
{
    static int count = 0;
    for (;;) {
        const auto name = fmt::format("ebpfd-test-{}-{}", getpid(), ++count);
        if (!std::filesystem::exists(std::filesystem::temp_directory_path() / name) &&
            !std::filesystem::exists(maps / name))
            return name;
    }
}

} // namespace

Agent::Agent(const lab::Node& node) : netns_(node.host().netns.path())
{
    const std::string name = unused_name();
    root_ = std::filesystem::temp_directory_path() / name;
    policies_ = root_ / "policies";
    inventory_ = root_ / "inventory";
    bpffs_ = maps / name;
    std::filesystem::create_directories(policies_);
    std::filesystem::create_directories(inventory_);
}

Agent::~Agent()
{
    process_.reset();
    std::error_code error;
    if (std::filesystem::exists(bpffs_, error))
        (void)detach();
    std::filesystem::remove_all(bpffs_, error);
    std::filesystem::remove_all(root_, error);
}

// This build's, or that of another one with sanitizers, which need more than the sandbox leaves.
static lab::Argv program()
{
    const char* checked = std::getenv("EBPFD_TEST_AGENT");
    return checked ? lab::Argv{checked, "--sandbox", "off"} : lab::Argv{EBPFD_PROGRAM};
}

lab::Argv Agent::command(const lab::Argv& options) const
{
    lab::Argv argv = program();
    argv.insert(argv.end(),
                {"--policy-dir", policies_.string(), "--inventory-dir", inventory_.string()});
    const std::array<std::pair<const char*, std::string>, 5> defaults{{{"--runtime-dir", runtime()},
                                                                       {"--bpffs", bpffs_},
                                                                       {"--node-name", "node-1"},
                                                                       {"--metrics-listen", "none"},
                                                                       {"--log-level", "debug"}}};
    for (const auto& [name, value] : defaults)
        if (std::ranges::find(options, name) == options.end())
            argv.insert(argv.end(), {name, value});
    argv.insert(argv.end(), options.begin(), options.end());
    return argv;
}

bool Agent::start(const lab::Argv& options)
{
    launch(options);
    return lab::eventually([this] {
               return !process_->running() || ctl({"status"}).exit != exit_unreachable;
           }) &&
           process_->running() && settle().exit == exit_ok;
}

void Agent::launch(const lab::Argv& options)
{
    lab::Argv argv = start_by_;
    std::ranges::copy(command(options), std::back_inserter(argv));
    process_.emplace(lab::Process::start(argv, netns_));
}

std::optional<int> Agent::stop()
{
    return process_ ? process_->stop() : std::nullopt;
}

lab::Finished Agent::detach() const
{
    return lab::run(command({"--detach"}), netns_);
}

size_t Agent::times_it_said(std::string_view words) const
{
    const std::string log = process_->err();
    size_t times = 0;
    for (size_t at = log.find(words); at != log.npos; at = log.find(words, at + 1))
        ++times;
    return times;
}

lab::Finished Agent::ctl(const lab::Argv& arguments) const
{
    lab::Argv argv{EBPFCTL_PROGRAM, "--runtime-dir", runtime(), "--bpffs", bpffs_};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return lab::run(argv);
}

std::string Agent::ask(const lab::Argv& arguments) const
{
    const lab::Finished finished = ctl(arguments);
    if (finished.exit == exit_ok)
        return finished.out;
    return "ebpfctl exits with " + std::to_string(finished.exit) + ": " + finished.err;
}

void replace_file(const std::filesystem::path& file, const std::string& text)
{
    const auto hidden = file.parent_path() / fmt::format(".{}.new", file.filename().string());
    std::ofstream(hidden) << text;
    std::filesystem::rename(hidden, file);
}

} // namespace system_test
