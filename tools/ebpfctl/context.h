// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "ebpfctl/exit.h"
#include "ebpfctl/printer.h"
#include "kernel/pinned.h"
#include "kernel/programs.h"

#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace ebpfd::ctl {

using std::chrono::milliseconds;

// Options that every command takes.
struct Options {
    std::string runtime_dir = "/run/ebpfd";
    std::string bpffs = "/sys/fs/bpf/ebpfd";
    std::string format = "table";
    std::string color = "auto";
    bool no_headers = false;
    std::string in_namespace;
    bool all_namespaces = false;
};

// Where answers come from: the pinned maps, the kernel, and the agent behind its socket.
struct Sources {
    std::function<Result<std::unique_ptr<PinnedMaps>>(const std::string& bpffs)> open_maps;
    std::function<Result<std::string>(const std::string& socket, const std::string& path,
                                      milliseconds timeout)>
        get;
    std::function<Result<std::string>(const std::string& socket, const std::string& path,
                                      const std::string& body, milliseconds timeout)>
        post;
    std::function<Result<void>(const std::string& socket, const std::string& path,
                               const std::function<bool(std::string_view)>& line)>
        stream;
    std::function<Result<ProgramStatistics>(const std::string& bpffs)> programs;
    std::function<Result<Fd>()> count_runs; // for as long as the descriptor is open
};

// Where answers go. fd is that of out, or -1 if it has none.
struct Terminal {
    std::ostream& out;
    std::ostream& err;
    int fd = -1;
};

// Of a pod or a policy.
struct ObjectName {
    std::string in_namespace;
    std::string name;

    std::string text() const { return in_namespace + "/" + name; }
    auto operator<=>(const ObjectName&) const = default;
};

// What a command works with once the command line is parsed.
struct Context {
    Options options;
    const Sources& sources;
    Terminal terminal;
    Style style;

    // ECONNREFUSED where nothing is pinned: exit code 4.
    Result<std::unique_ptr<PinnedMaps>> maps() const;
    // The agent's answer as JSON. ECONNREFUSED where no agent answers.
    Result<Json> get(const std::string& path,
                     milliseconds timeout = std::chrono::seconds(10)) const;
    // body: what goes with the question; null: nothing.
    Result<Json> post(const std::string& path, const Json& body, milliseconds timeout) const;
    std::string socket() const { return options.runtime_dir + "/ebpfd.sock"; }

    // Whether -n and -A let this namespace be listed.
    bool shows(std::string_view name) const;
    // "namespace/name", or "name" with -n; EINVAL for anything else.
    Result<ObjectName> full_name(const std::string& text) const;
    // Prints the report and returns code.
    Exit print(const Report& report, Exit code = Exit::ok) const;
    // One line for the person, not for the data.
    void say(std::string_view text) const;
    // The same, with the tool's name in front.
    void note(std::string_view text) const;
};

} // namespace ebpfd::ctl
