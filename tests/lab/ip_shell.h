// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "lab/netns.h"

#include <cstdio>
#include <memory>
#include <string>

namespace lab {

// An `ip -batch` that stays: commands for a namespace without a process for each.
class IpShell {
public:
    explicit IpShell(const NetNamespace& netns);
    // Lines, done one after the other; what fails is passed over. Returns before they are done.
    void run(const std::string& lines) const;

private:
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> input_;
};

} // namespace lab
