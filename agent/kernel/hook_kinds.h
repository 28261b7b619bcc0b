// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

// What is hooked in the kernel beside the packet path, and the ways to attach it.
namespace ebpfd {

enum class HookAttach : uint8_t { automatic, tp_btf, fentry, kprobe };

// One way: programs of hooks.bpf.c that do the work together.
struct HookWay {
    HookAttach by = HookAttach::tp_btf;
    const char* target = ""; // the tracepoint or function, for the status
    std::vector<const char*> programs;

    std::string text() const; // "tp_btf tcp_probe"
};

// Ways in the order of preference; the first that works on the running kernel is kept.
struct HookKind {
    const char* name = "";
    std::vector<HookWay> ways;
    bool usual = false; // the first way works on every kernel that the agent supports
};

struct HookOptions {
    std::vector<std::string> names; // of hook_names(); the others are left out
    HookAttach attach = HookAttach::automatic;
};

struct HookStatus {
    std::string name;
    std::string attachment; // "tp_btf tcp_probe"; empty: not attached
    std::string error;      // why not
};

std::span<const HookKind> hook_kinds();
std::vector<std::string> hook_names();

} // namespace ebpfd
