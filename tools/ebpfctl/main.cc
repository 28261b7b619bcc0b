// SPDX-License-Identifier: Apache-2.0
#include "api/client.h"
#include "ebpfctl/cli.h"

#include <csignal>
#include <iostream>
#include <poll.h>
#include <unistd.h>

using namespace ebpfd;

namespace {

// Whether whoever read our output has gone, as head does when it has enough.
bool reader_is_gone()
{
    pollfd out{STDOUT_FILENO, 0, 0};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

} // namespace

int main(int argc, char** argv)
{
    std::signal(SIGPIPE, SIG_IGN);
    const ctl::Sources sources{&PinnedMaps::open,   &api_get,   &api_post, &api_stream,
                               &program_statistics, &count_runs};
    ctl::Exit code =
        ctl::run({argv + 1, argv + argc}, sources, {std::cout, std::cerr, STDOUT_FILENO});
    std::cout.flush();
    if (!std::cout && reader_is_gone())
        return static_cast<int>(ctl::Exit::ok);
    if (!std::cout) {
        std::cerr << "ebpfctl: cannot write to standard output\n";
        return static_cast<int>(ctl::Exit::error);
    }
    return static_cast<int>(code);
}
