// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <set>
#include <spdlog/spdlog.h>
#include <string>
#include <vector>

namespace ebpfd {

// Logs conditions when they begin, not each time they are found again.
class NewLines {
public:
    explicit NewLines(spdlog::level::level_enum level) : level_(level) {}

    // lines: all that hold now.
    void say(const std::vector<std::string>& lines)
    {
        std::set<std::string> now(lines.begin(), lines.end());
        for (const auto& line : now)
            if (!said_.contains(line))
                spdlog::log(level_, "{}", line);
        said_.swap(now);
    }

private:
    spdlog::level::level_enum level_;
    std::set<std::string> said_;
};

} // namespace ebpfd
