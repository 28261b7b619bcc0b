// SPDX-License-Identifier: Apache-2.0
#include "inventory/rtnetlink.h"

#include <algorithm>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

namespace ebpfd {

namespace {

template <class T> const T* body_of(const nlmsghdr& message)
{
    if (mnl_nlmsg_get_payload_len(&message) < sizeof(T))
        return nullptr;
    return static_cast<const T*>(mnl_nlmsg_get_payload(&message));
}

template <class Use> void each_attribute(const nlattr* first, const void* end, const Use& use)
{
    for (; mnl_attr_ok(first, static_cast<int>(static_cast<const char*>(end) -
                                               reinterpret_cast<const char*>(first)));
         first = mnl_attr_next(first))
        use(first);
}

// Those behind a body of type T.
template <class T, class Use> void each_attribute(const nlmsghdr& message, const Use& use)
{
    // Not libmnl's end of the payload, which is rounded up.
    each_attribute(static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(&message, sizeof(T))),
                   reinterpret_cast<const char*>(&message) + message.nlmsg_len, use);
}

// 0 for an attribute too short to hold a number.
uint32_t number(const nlattr* attribute)
{
    return mnl_attr_validate(attribute, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(attribute);
}

std::string text(const nlattr* attribute)
{
    return mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0 ? "" : mnl_attr_get_str(attribute);
}

std::optional<IpAddress> address(const nlattr* attribute, int family)
{
    const auto* bytes = static_cast<const uint8_t*>(mnl_attr_get_payload(attribute));
    const size_t size = mnl_attr_get_payload_len(attribute);
    IpAddress made;
    if (family == AF_INET && size == 4) {
        made.bytes[10] = made.bytes[11] = 0xff;
        std::copy_n(bytes, size, made.bytes.begin() + 12);
    } else if (family == AF_INET6 && size == 16) {
        std::copy_n(bytes, size, made.bytes.begin());
    } else {
        return std::nullopt;
    }
    return made;
}

std::string kind_of(const nlattr* link_info)
{
    std::string kind;
    const auto* content = static_cast<const char*>(mnl_attr_get_payload(link_info));
    each_attribute(reinterpret_cast<const nlattr*>(content),
                   content + mnl_attr_get_payload_len(link_info), [&](const nlattr* attribute) {
                       if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
                           kind = text(attribute);
                   });
    return kind;
}

void read_link_attribute(const nlattr* attribute, Link& link)
{
    switch (mnl_attr_get_type(attribute)) {
    case IFLA_IFNAME:
        link.name = text(attribute);
        break;
    case IFLA_LINKINFO:
        link.kind = kind_of(attribute);
        break;
    case IFLA_MASTER:
        link.master = number(attribute);
        break;
    case IFLA_LINK:
        link.peer = number(attribute);
        break;
    case IFLA_LINK_NETNSID:
        link.peer_nsid = static_cast<int32_t>(number(attribute));
        break;
    default:
        break;
    }
}

// What a route says besides its destination.
struct RouteTarget {
    std::optional<IpAddress> destination;
    uint32_t table = 0;
    uint32_t metric = 0;
    uint32_t ifindex = 0;
    bool gateway = false;
};

RouteTarget read_route(const nlmsghdr& message, const rtmsg& body)
{
    RouteTarget target;
    target.table = body.rtm_table;
    each_attribute<rtmsg>(message, [&](const nlattr* attribute) {
        const uint16_t type = mnl_attr_get_type(attribute);
        if (type == RTA_DST)
            target.destination = address(attribute, body.rtm_family);
        else if (type == RTA_TABLE)
            target.table = number(attribute);
        else if (type == RTA_PRIORITY)
            target.metric = number(attribute);
        else if (type == RTA_OIF)
            target.ifindex = number(attribute);
        else if (type == RTA_GATEWAY || type == RTA_VIA)
            target.gateway = true;
    });
    return target;
}

bool is_host_route(const rtmsg& body)
{
    const bool host = (body.rtm_family == AF_INET && body.rtm_dst_len == 32) ||
                      (body.rtm_family == AF_INET6 && body.rtm_dst_len == 128);
    return host && body.rtm_type == RTN_UNICAST && !(body.rtm_flags & RTM_F_CLONED);
}

} // namespace

std::optional<LinkMessage> parse_link(const nlmsghdr& message)
{
    if (message.nlmsg_type != RTM_NEWLINK && message.nlmsg_type != RTM_DELLINK)
        return std::nullopt;
    const auto* body = body_of<ifinfomsg>(message);
    // Of family AF_BRIDGE, "deleted" only means that the port left its bridge.
    if (!body || body->ifi_family != AF_UNSPEC)
        return std::nullopt;
    LinkMessage made;
    made.removed = message.nlmsg_type == RTM_DELLINK;
    made.link.ifindex = static_cast<uint32_t>(body->ifi_index);
    made.link.up = (body->ifi_flags & IFF_UP) != 0;
    made.link.loopback = (body->ifi_flags & IFF_LOOPBACK) != 0;
    each_attribute<ifinfomsg>(
        message, [&](const nlattr* attribute) { read_link_attribute(attribute, made.link); });
    // Some kernels leave out a peer whose number happens to be the interface's own.
    if (made.link.peer_nsid && made.link.peer == 0)
        made.link.peer = made.link.ifindex;
    return made;
}

std::optional<AddressMessage> parse_address(const nlmsghdr& message)
{
    if (message.nlmsg_type != RTM_NEWADDR && message.nlmsg_type != RTM_DELADDR)
        return std::nullopt;
    const auto* body = body_of<ifaddrmsg>(message);
    if (!body)
        return std::nullopt;
    // IFA_ADDRESS is the far end of a point-to-point interface if there is an IFA_LOCAL.
    std::optional<IpAddress> local;
    std::optional<IpAddress> any;
    each_attribute<ifaddrmsg>(message, [&](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == IFA_LOCAL)
            local = address(attribute, body->ifa_family);
        else if (mnl_attr_get_type(attribute) == IFA_ADDRESS)
            any = address(attribute, body->ifa_family);
    });
    if (!local)
        local = any;
    if (!local)
        return std::nullopt;
    return AddressMessage{message.nlmsg_type == RTM_DELADDR,
                          {body->ifa_index, {*local, body->ifa_prefixlen}}};
}

std::optional<RouteMessage> parse_route(const nlmsghdr& message)
{
    if (message.nlmsg_type != RTM_NEWROUTE && message.nlmsg_type != RTM_DELROUTE)
        return std::nullopt;
    const auto* body = body_of<rtmsg>(message);
    if (!body || !is_host_route(*body))
        return std::nullopt;
    const RouteTarget target = read_route(message, *body);
    if (target.table != RT_TABLE_MAIN || !target.destination)
        return std::nullopt;
    RouteMessage made;
    made.removed = message.nlmsg_type == RTM_DELROUTE;
    made.replaces = !made.removed && (message.nlmsg_flags & NLM_F_REPLACE);
    // A route through a gateway leads to no pod here, but it may replace one that does.
    const bool direct = target.ifindex != 0 && !target.gateway;
    if (!direct && !made.replaces)
        return std::nullopt;
    made.route = {*target.destination, target.metric, direct ? target.ifindex : 0};
    return made;
}

std::optional<NsidMessage> parse_nsid(const nlmsghdr& message)
{
    if (message.nlmsg_type != RTM_NEWNSID && message.nlmsg_type != RTM_DELNSID)
        return std::nullopt;
    NsidMessage made;
    made.removed = message.nlmsg_type == RTM_DELNSID;
    each_attribute<rtgenmsg>(message, [&](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == NETNSA_NSID)
            made.nsid = static_cast<int32_t>(number(attribute));
    });
    return made;
}

std::optional<uint32_t> parse_filter_removal(const nlmsghdr& message)
{
    if (message.nlmsg_type != RTM_DELTFILTER && message.nlmsg_type != RTM_DELQDISC)
        return std::nullopt;
    const auto* body = body_of<tcmsg>(message);
    return body ? std::optional(static_cast<uint32_t>(body->tcm_ifindex)) : std::nullopt;
}

} // namespace ebpfd
