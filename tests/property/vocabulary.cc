// SPDX-License-Identifier: Apache-2.0
#include "property/vocabulary.h"

using namespace ebpfd;

namespace property {

static std::vector<IpAddress> addresses(std::initializer_list<const char*> texts)
{
    std::vector<IpAddress> parsed;
    for (const char* text : texts)
        parsed.push_back(IpAddress::parse(text).value());
    return parsed;
}

static std::vector<Cidr> blocks(std::initializer_list<const char*> texts)
{
    std::vector<Cidr> parsed;
    for (const char* text : texts)
        parsed.push_back(Cidr::parse(text).value());
    return parsed;
}

const std::vector<Family>& families()
{
    static const std::vector<Family> both = {
        {.pods = addresses({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"}),
         .cluster_ips = addresses({"10.96.0.1", "10.96.0.2", "10.96.0.3"}),
         .outside = addresses({"10.0.0.7", "192.0.2.1", "10.96.0.9"}),
         .this_node = *IpAddress::parse("10.0.2.1"),
         .other_node = *IpAddress::parse("10.0.2.2"),
         .blocks = blocks({"0.0.0.0/0", "0.0.0.0/1", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/30",
                           "10.0.0.2/31", "10.0.0.2/32", "10.0.2.0/24", "10.96.0.0/16",
                           "10.96.0.1/32", "192.0.2.0/24"}),
         .icmp = 1},
        // ::/64 is wide enough to hold IPv4-mapped addresses, were they IPv6.
        {.pods = addresses({"fd00::1", "fd00::2", "fd00::3", "fd00::4", "fd00::5"}),
         .cluster_ips = addresses({"fd00:96::1", "fd00:96::2", "fd00:96::3"}),
         .outside = addresses({"fd00::7", "2001:db8::1", "::5"}),
         .this_node = *IpAddress::parse("fd00:2::1"),
         .other_node = *IpAddress::parse("fd00:2::2"),
         .blocks = blocks({"::/0", "::/1", "::/64", "fd00::/8", "fd00::/64", "fd00::/126",
                           "fd00::2/127", "fd00::2/128", "fd00:2::/32", "fd00:96::/32",
                           "fd00:96::1/128", "2001:db8::/32"}),
         .icmp = 58},
    };
    return both;
}

const std::vector<std::string>& namespace_names()
{
    static const std::vector<std::string> names = {"blue", "default", "red"};
    return names;
}

const std::vector<std::string>& label_keys()
{
    static const std::vector<std::string> keys = {"app", "tier"};
    return keys;
}

const std::vector<std::string>& label_values()
{
    static const std::vector<std::string> values = {"db", "db", "web", "web", ""};
    return values;
}

const std::vector<std::string>& port_names()
{
    static const std::vector<std::string> names = {"dns", "http"};
    return names;
}

const std::vector<uint16_t>& port_numbers()
{
    static const std::vector<uint16_t> numbers = {53, 80, 81, 443, 8080, 65535};
    return numbers;
}

const std::vector<Protocol>& protocols()
{
    static const std::vector<Protocol> all = {Protocol::tcp, Protocol::udp, Protocol::sctp};
    return all;
}

} // namespace property
