// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config.h"
#include "model/document.h"
#include "model/world.h"
#include "observe/metrics.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ebpfd {

struct DirectoryView {
    std::string path;
    std::string kind; // "policy" or "inventory"
    size_t files = 0;
    std::string error;
    bool tolerated = false; // a default folder that is not there yet: no reason to be degraded

    // The error, with what it means.
    std::string sentence() const;
};

// What the agent is and knows, for the API's threads: plain data, never changed.
struct View {
    uint64_t revision = 0; // scans applied since the start; 0: none yet
    uint32_t generation = 0;
    int64_t applied_ns = 0; // wall clock of the last apply, failed or not; 0: none yet
    std::chrono::nanoseconds apply_duration{};
    std::string apply_error;
    ApplyTimes stages; // of the last apply that did not fail
    std::string attach;
    std::vector<HookStatus> hooks;
    std::vector<DirectoryView> directories;
    std::vector<FileError> file_errors;
    std::string copies_error; // why not all files have a copy for the next agent
    std::vector<std::string> attach_warnings;
    std::vector<std::string> warnings;                              // that do not make it degraded
    std::shared_ptr<const World> world = std::make_shared<World>(); // in force
    size_t nodes = 0;
    size_t endpoints = 0;
    size_t rulesets = 0;
    size_t identities = 0;

    bool degraded() const;
};

// What is enforced, and whether something is wrong, in one line.
std::string status_line(const View& view);

// The latest view, handed from the main loop to the API's threads.
class Noticeboard {
public:
    void post(View view);
    std::shared_ptr<const View> latest() const;

    // The main loop turns every few seconds at least, from its first turn on.
    void turn();
    // A folder keeps the agent waiting, or (nothing) has answered.
    void waits_for(const std::optional<std::string>& folder);
    // What to say of a loop that has not turned for longer than it may; nothing if it has.
    std::optional<std::string> hang(std::chrono::seconds longest = std::chrono::seconds(15)) const;
    // Of that, or, as soon as it is known, of a folder that is waited for.
    std::optional<std::string> trouble() const;

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const View> view_ = std::make_shared<View>();
    std::optional<std::chrono::steady_clock::time_point> turned_;
    std::optional<std::string> folder_; // that is waited for
};

} // namespace ebpfd
