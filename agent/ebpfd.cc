// SPDX-License-Identifier: Apache-2.0
#include "agent.h"
#include "base/log.h"
#include "base/privileges.h"
#include "config.h"

#include <cerrno>
#include <cstdio>
#include <malloc.h>
#include <new>

namespace {

using namespace ebpfd;

int failed(const Error& error)
{
    spdlog::error("{}", error.message);
    return 1;
}

int say(const Farewell& farewell)
{
    if (farewell.exit_code == 0)
        std::fputs(farewell.text.c_str(), stdout);
    else
        print_errors(farewell.text);
    return farewell.exit_code;
}

int detach(const Config& config)
{
    const auto lock = AgentLock::take(config.runtime_dir, config.bpffs);
    if (!lock)
        return failed(lock.error());
    if (auto detached = Datapath::detach(config.bpffs); !detached)
        return failed(detached.error());
    if (auto forgotten = ValidTexts::remove(config.runtime_dir + "/valid"); !forgotten)
        return failed(forgotten.error());
    spdlog::info("links, programs and maps below {} are removed", config.bpffs);
    return 0;
}

int run(const Config& config)
{
    if (config.sandbox)
        if (auto kept = keep_starting_privileges(); !kept)
            return failed(kept.error());
    auto agent = Agent::start(config);
    if (!agent)
        return failed(agent.error());
    auto ended = (*agent)->run();
    return ended ? 0 : failed(ended.error());
}

// What is in force needs no agent; the next one begins with all that it may have.
int run_within_memory(const Config& config)
{
    try {
        return run(config);
    } catch (const std::bad_alloc&) {
        return failed({ENOMEM, "there is not enough memory; the datapath goes on enforcing"});
    }
}

} // namespace

int main(int argc, char** argv)
{
    // Few threads allocate, and briefly: arenas of their own would only hold memory.
    mallopt(M_ARENA_MAX, 2);
    auto parsed = parse_config(argc, argv);
    if (const auto* farewell = std::get_if<Farewell>(&parsed))
        return say(*farewell);
    const Config& config = std::get<Config>(parsed);
    if (auto logging = setup_logging(config.log_level, config.log_format); !logging)
        return say({.exit_code = 2, .text = logging.error().message + "\n"});
    return config.detach ? detach(config) : run_within_memory(config);
}
