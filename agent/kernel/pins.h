// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Where things are pinned below the agent's folder on the bpf file system.
namespace ebpfd {

struct Pins {
    static constexpr const char* NEXT = "-next";
    std::string bpffs;

    std::string maps() const { return bpffs + "/maps"; }
    std::string programs() const { return bpffs + "/progs"; }
    std::string links() const { return bpffs + "/links"; }
    std::string map(const std::string& name) const { return maps() + "/" + name; }
    // Where what is to take the place of a pinned map or program waits: see NEXT.
    std::string next_map(const std::string& name) const { return map(name) + NEXT; }
    std::string program(const std::string& name) const { return programs() + "/" + name; }
    std::string link(uint32_t ifindex, const std::string& hook) const
    {
        return links() + "/" + std::to_string(ifindex) + "-" + hook;
    }
};

// The names in a folder, sorted; none if there is no such folder.
std::vector<std::string> names_in(const std::string& folder);
// Missing ones and their parents are made, for root alone.
Result<void> make_folder(const std::string& folder);
// A pin that is not there is no error.
Result<void> unpin(const std::string& path);
// Names in the folder that end in that suffix get the other one, in place of what has it.
Result<void> change_suffix(const std::string& folder, std::string_view from, std::string_view to);
// Or are removed.
Result<void> remove_with_suffix(const std::string& folder, std::string_view suffix);
// Unpins all that is in the folder, and the folder itself.
Result<void> remove_folder(const std::string& folder);

} // namespace ebpfd
