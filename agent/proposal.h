// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// Policies that somebody thinks of putting in force, as text.
struct Proposal {
    struct File {
        std::string name; // ends in .json: read as JSON
        std::string text;
    };
    std::vector<File> files;
    std::vector<std::string> remove; // "ns/name", "NetworkPolicy/ns/name", "KIND/name"
};

// From a request's body: {"files": [{"name", "text"}], "remove": [names]}. Nothing for other text.
std::optional<Proposal> parse_proposal(std::string_view body);

} // namespace ebpfd
