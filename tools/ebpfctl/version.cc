// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"

namespace ebpfd::ctl {

Action define_version(CLI::App&)
{
    return [](const Context& context) -> Result<Exit> {
        auto line = [](const Json& row, bool) -> std::vector<Cell> {
            return {{"ebpfctl"}, {value_text(row)}};
        };
        return context.print({{{"version", EBPFD_VERSION}}, {{"", "", {}, line}}});
    };
}

} // namespace ebpfd::ctl
