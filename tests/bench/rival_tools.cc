// SPDX-License-Identifier: Apache-2.0
#include "bench/rival_tools.h"

#include "base/fd.h"
#include "bench/crowd.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <stdexcept>

namespace bench {
namespace {

// Those of the first list that the second does not have.
Many without(const Many& all, const Many& others)
{
    std::set<std::string> addresses;
    for (const Allowed& other : others)
        addresses.insert(other.address);
    Many out;
    std::ranges::copy_if(all, std::back_inserter(out),
                         [&](const Allowed& one) { return !addresses.contains(one.address); });
    return out;
}

} // namespace

lab::Family family_of(const Many& allowed)
{
    const bool v6 = allowed.front().address.find(':') != std::string::npos;
    return v6 ? lab::Family::v6 : lab::Family::v4;
}

double feed(const lab::Node& node, lab::Argv command, const std::string& text)
{
    std::string file = "/tmp/ebpfd-bench-XXXXXX";
    const ebpfd::Fd fd(mkstemp(file.data()));
    std::ofstream(file) << text;
    command.push_back(file);
    const auto start = std::chrono::steady_clock::now();
    auto process = lab::Process::start(command, node.host().netns.path());
    const double ms = wait_until(start, [&] { return !process.running(); });
    std::filesystem::remove(file);
    if (process.wait() != 0)
        throw std::runtime_error(fmt::format("{}: {}", command.front(), process.err()));
    return ms;
}

Difference::Difference(const Many& now, const Many& next)
    : gone(without(now, next)), come(without(next, now))
{
}

} // namespace bench
