// SPDX-License-Identifier: Apache-2.0
#include "lab/ip_shell.h"

namespace lab {

IpShell::IpShell(const NetNamespace& netns)
    : input_(popen(("exec ip -force -n " + netns.name() + " -batch - 2>/dev/null").c_str(), "we"),
             pclose)
{
}

void IpShell::run(const std::string& lines) const
{
    std::fputs(lines.c_str(), input_.get());
    std::fflush(input_.get());
}

} // namespace lab
