// SPDX-License-Identifier: Apache-2.0
#include "bench/rival_tools.h"

#include <fmt/format.h>

namespace bench {
namespace {

// The whole table, which is how it changes at once.
double restore(const lab::Node& node, lab::Family family, const std::string& rules)
{
    const char* command = family == lab::Family::v4 ? "iptables-restore" : "ip6tables-restore";
    return feed(node, {command},
                fmt::format("*filter\n:FORWARD ACCEPT [0:0]\n:SERVER - [0:0]\n"
                            "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
                            "-A FORWARD -d {} -j SERVER\n{}-A SERVER -j DROP\nCOMMIT\n",
                            node.pod("server").at(family), rules));
}

std::string linear(const Many& allowed)
{
    std::string rules;
    for (const auto& [address, protocol, port] : allowed)
        rules += fmt::format("-A SERVER -s {0} -p {1} -m {1} --dport {2} -j ACCEPT\n", address,
                             protocol, port);
    return rules;
}

std::string create(const char* set, lab::Family family)
{
    return fmt::format("create {} hash:ip,port family {}\n", set,
                       family == lab::Family::v4 ? "inet" : "inet6");
}

std::string entries(const char* verb, const char* set, const Many& all)
{
    std::string text;
    for (const auto& [address, protocol, port] : all)
        text += fmt::format("{} {} {},{}:{}\n", verb, set, address, protocol, port);
    return text;
}

} // namespace

Enforcement iptables_linear(const lab::Node& node, const Many& allowed)
{
    restore(node, family_of(allowed), linear(allowed));
    return {};
}

double change_iptables(const lab::Node& node, const Enforcement& /*enforcement*/,
                       const Many& /*now*/, const Many& next)
{
    return restore(node, family_of(next), linear(next));
}

Enforcement iptables_sets(const lab::Node& node, const Many& allowed)
{
    const lab::Family family = family_of(allowed);
    feed(node, {"ipset", "restore", "-file"},
         create("allowed", family) + entries("add", "allowed", allowed));
    restore(node, family, "-A SERVER -m set --match-set allowed src,dst -j ACCEPT\n");
    return {};
}

// Entry by entry where few change, else by a set that takes the other's place.
double change_ipset(const lab::Node& node, const Enforcement& /*enforcement*/, const Many& now,
                    const Many& next)
{
    const lab::Argv command{"ipset", "restore", "-file"};
    const Difference difference(now, next);
    if (difference.is_small(next))
        return feed(node, command,
                    entries("del", "allowed", difference.gone) +
                        entries("add", "allowed", difference.come));
    return feed(node, command,
                create("next", family_of(next)) + entries("add", "next", next) +
                    "swap next allowed\ndestroy next\n");
}

} // namespace bench
