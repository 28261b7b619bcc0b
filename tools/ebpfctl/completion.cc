// SPDX-License-Identifier: Apache-2.0
#include "base/completion.h"

#include "ebpfctl/command.h"

namespace ebpfd::ctl {

Action define_completion(CLI::App& app)
{
    auto shell = std::make_shared<std::string>();
    app.add_option("shell", *shell, "Shell")
        ->required()
        ->check(CLI::IsMember(std::vector<std::string>(SHELLS.begin(), SHELLS.end())))
        ->type_name("SHELL");
    return [shell, &app](const Context& context) -> Result<Exit> {
        context.terminal.out << completion_script(*app.get_parent(), *shell);
        return Exit::ok;
    };
}

} // namespace ebpfd::ctl
