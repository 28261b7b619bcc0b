// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/datapath.h"
#include "observe/flow_log.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace ebpfd {

struct ListenAddress {
    std::string address; // IPv4, or IPv6 without brackets
    uint16_t port = 0;

    bool operator==(const ListenAddress&) const = default;
    // "ADDR:PORT" or "[ADDR]:PORT".
    static std::optional<ListenAddress> parse(const std::string& text);
};

// Directories that were named must be there at the start; the default ones may come later.
struct WatchedDirs {
    std::vector<std::string> paths;
    bool named = false;
};

// What the command line and the configuration file ask for.
struct Config {
    WatchedDirs policy;
    WatchedDirs inventory;
    std::string runtime_dir = "/run/ebpfd";
    std::string bpffs = "/sys/fs/bpf/ebpfd";
    std::string node_name;
    bool audit = false;
    std::vector<std::string> pod_interfaces; // globs
    std::optional<ListenAddress> metrics;
    bool metrics_pods = false;
    uint32_t metrics_max_series = 10000; // that name pods, and as many that name rules
    std::optional<FlowLogOptions> flow_log;
    Capacities capacities;
    uint32_t history_bytes = 4 << 20; // 0: no history
    uint32_t max_watchers = 16;
    AttachMode attach = AttachMode::automatic;
    HookOptions hooks;
    std::string log_level = "info";
    std::string log_format = "text";
    bool sandbox = true; // gives up capabilities and system calls that it needs no more
    bool detach = false;

    std::string socket_path() const { return runtime_dir + "/ebpfd.sock"; }
};

// A table whose capacity is an option; for --help and for the status.
struct CapacityOption {
    const char* name;  // of the option, with its dashes
    const char* table; // as the status names it
    uint32_t Capacities::*field;
    const char* help;
};
std::span<const CapacityOption> capacity_options();

// Nothing to run: what to say, and with which exit code.
struct Farewell {
    int exit_code = 0;
    std::string text;
};

// Reads the command line and the configuration file; flags win. A wrong option, key or value is
// a Farewell with exit code 2, --help and --version are one with 0.
std::variant<Config, Farewell> parse_config(int argc, const char* const* argv);

} // namespace ebpfd
