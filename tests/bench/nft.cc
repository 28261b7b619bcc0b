// SPDX-License-Identifier: Apache-2.0
#include "bench/rival_tools.h"

#include <fmt/format.h>

namespace bench {
namespace {

// "ip" or "ip6", as a table and as a header.
const char* header(const Many& allowed)
{
    return family_of(allowed) == lab::Family::v4 ? "ip" : "ip6";
}

std::string elements(const Many& all)
{
    std::string text;
    for (const auto& [address, protocol, port] : all)
        text += fmt::format("   {} . {} . {},\n", address, protocol, port);
    return text;
}

std::string elements(const char* verb, const char* table, const Many& all)
{
    if (all.empty())
        return "";
    return fmt::format("{} element {} pods allowed {{\n{}}}\n", verb, table, elements(all));
}

} // namespace

Enforcement nft_sets(const lab::Node& node, const Many& allowed)
{
    const char* ip = header(allowed);
    feed(node, {"nft", "-f"},
         fmt::format("table {0} pods {{\n set allowed {{\n"
                     "  type {1} . inet_proto . inet_service\n  elements = {{\n{2}  }}\n }}\n"
                     " chain forward {{\n"
                     "  type filter hook forward priority 0; policy accept;\n"
                     "  ct state established,related accept\n"
                     "  {0} daddr {3} {0} saddr . meta l4proto . th dport @allowed accept\n"
                     "  {0} daddr {3} drop\n }}\n}}\n",
                     ip, family_of(allowed) == lab::Family::v4 ? "ipv4_addr" : "ipv6_addr",
                     elements(allowed), node.pod("server").at(family_of(allowed))));
    return {};
}

// Element by element where few change, else all anew.
double change_nft_set(const lab::Node& node, const Enforcement& /*enforcement*/, const Many& now,
                      const Many& next)
{
    const char* ip = header(next);
    const Difference difference(now, next);
    if (difference.is_small(next))
        return feed(node, {"nft", "-f"},
                    elements("delete", ip, difference.gone) + elements("add", ip, difference.come));
    return feed(node, {"nft", "-f"},
                fmt::format("flush set {} pods allowed\n", ip) + elements("add", ip, next));
}

Enforcement nft_linear(const lab::Node& node, const Many& allowed)
{
    const char* ip = header(allowed);
    std::string text = fmt::format("table {} pods {{\n chain server {{\n", ip);
    for (const auto& [address, protocol, port] : allowed)
        text += fmt::format("  {} saddr {} {} dport {} accept\n", ip, address, protocol, port);
    text += fmt::format("  drop\n }}\n chain forward {{\n  type filter hook forward priority 0; "
                        "policy accept;\n  {} daddr {} jump server\n }}\n}}\n",
                        ip, node.pod("server").at(family_of(allowed)));
    feed(node, {"nft", "-f"}, text);
    return {};
}

} // namespace bench
