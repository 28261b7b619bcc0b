// SPDX-License-Identifier: Apache-2.0
// The configuration file, with the command line that names it.
#include "config.h"

#include "fuzz/target.h"

#include <array>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace ebpfd;

namespace fuzz {
namespace {

// A file in memory; its path holds as long as it lives.
class MemoryFile {
public:
    explicit MemoryFile(std::string_view text) : fd_(memfd_create("ebpfd.yaml", MFD_CLOEXEC))
    {
        expect(write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "write");
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() { close(fd_); }
    std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

private:
    int fd_;
};

void expect_within_bounds(const Config& config)
{
    for (const CapacityOption& option : capacity_options())
        expect(config.capacities.*option.field > 0, fmt::format("{} has room", option.name));
    expect(config.max_watchers >= 1 && config.max_watchers <= 1024, "--max-watchers has bounds");
    expect(config.runtime_dir.starts_with('/') && config.bpffs.starts_with('/'),
           "folders are absolute");
    expect(!config.policy.paths.empty() && !config.inventory.paths.empty(),
           "there are folders to watch");
}

} // namespace

void try_input(std::string_view input)
{
    const MemoryFile file(input);
    const std::string path = file.path();
    const std::array<const char*, 3> arguments{"ebpfd", "--config", path.c_str()};
    const auto parsed = parse_config(arguments.size(), arguments.data());
    if (const auto* config = std::get_if<Config>(&parsed))
        return expect_within_bounds(*config);
    const auto& farewell = std::get<Farewell>(parsed);
    expect(farewell.exit_code == 2, "a file cannot end the agent as if all were well");
    expect(farewell.text.starts_with(path + ":"),
           fmt::format("an error names file and line: {}", farewell.text));
}

} // namespace fuzz
