// SPDX-License-Identifier: Apache-2.0
#include "bench/policy.h"
#include "lab/socket.h"

#include <sstream>
#include <stdexcept>

namespace bench {
namespace {

// What the agent's metrics say.
std::string scrape(const lab::Node& node)
{
    const std::string place = metrics_address;
    const size_t colon = place.find(':');
    const auto socket =
        lab::Socket::connect(node.host(), lab::Transport::tcp, place.substr(0, colon),
                             static_cast<uint16_t>(std::stoi(place.substr(colon + 1))));
    if (socket.outcome(lab::patience) != lab::Outcome::connected ||
        !socket.send("GET /metrics HTTP/1.0\r\n\r\n"))
        throw std::runtime_error("the agent's metrics do not answer");
    std::string all;
    while (const auto more = socket.receive())
        all += *more;
    return all;
}

} // namespace

Stages read_stages(const lab::Node& node)
{
    const std::string name = "ebpfd_policy_apply_stage_duration_seconds_";
    const std::string begin = name + "sum{stage=\"", count = name + "count{stage=\"compile\"} ";
    Stages stages;
    std::istringstream text(scrape(node));
    for (std::string line; std::getline(text, line);) {
        const size_t end = line.find("\"} ");
        if (line.starts_with(count))
            stages.changes = std::stod(line.substr(count.size()));
        if (line.starts_with(begin) && end != std::string::npos)
            stages.seconds[line.substr(begin.size(), end - begin.size())] =
                std::stod(line.substr(end + 3));
    }
    if (stages.seconds.empty())
        throw std::runtime_error("the agent's metrics have no stages");
    return stages;
}

} // namespace bench
