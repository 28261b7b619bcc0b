// SPDX-License-Identifier: Apache-2.0
#include "inventory/rtnetlink.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

namespace ebpfd {

namespace {

// Room for T behind the header, zeroed.
template <class T> T& put(nlmsghdr& header)
{
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(&header, sizeof(T)));
}

} // namespace

Request::Request(uint16_t type, uint16_t flags)
{
    nlmsghdr* made = mnl_nlmsg_put_header(bytes_.data());
    made->nlmsg_type = type;
    made->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
}

Request Request::all_links()
{
    Request request(RTM_GETLINK, NLM_F_DUMP);
    put<ifinfomsg>(request.header());
    mnl_attr_put_u32(&request.header(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return request;
}

Request Request::one_link(uint32_t ifindex)
{
    Request request(RTM_GETLINK, NLM_F_ACK);
    put<ifinfomsg>(request.header()).ifi_index = static_cast<int>(ifindex);
    mnl_attr_put_u32(&request.header(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return request;
}

Request Request::own_addresses(uint8_t family)
{
    Request request(RTM_GETADDR, NLM_F_DUMP);
    put<ifaddrmsg>(request.header()).ifa_family = family;
    return request;
}

Request Request::distant_addresses(uint8_t family, DistantInterface where)
{
    Request request(RTM_GETADDR, NLM_F_DUMP);
    auto& body = put<ifaddrmsg>(request.header());
    body.ifa_family = family;
    body.ifa_index = where.ifindex;
    mnl_attr_put_u32(&request.header(), IFA_TARGET_NETNSID, static_cast<uint32_t>(where.nsid));
    return request;
}

Request Request::main_routes(uint8_t family)
{
    Request request(RTM_GETROUTE, NLM_F_DUMP);
    put<rtmsg>(request.header()).rtm_family = family;
    mnl_attr_put_u32(&request.header(), RTA_TABLE, RT_TABLE_MAIN);
    return request;
}

Request Request::nsid(int namespace_fd)
{
    Request request(RTM_GETNSID, NLM_F_ACK);
    put<rtgenmsg>(request.header());
    mnl_attr_put_u32(&request.header(), NETNSA_FD, static_cast<uint32_t>(namespace_fd));
    return request;
}

} // namespace ebpfd
