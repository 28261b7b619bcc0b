// SPDX-License-Identifier: Apache-2.0
#include "kernel/filters.h"

#include "kernel/route_socket.h"

#include <cerrno>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

namespace ebpfd {

namespace {

int read_option(const nlattr* attribute, void* data)
{
    auto& filter = *static_cast<TcFilter*>(data);
    if (mnl_attr_get_type(attribute) == TCA_BPF_ID)
        filter.program = mnl_attr_get_u32(attribute);
    return MNL_CB_OK;
}

int read_attribute(const nlattr* attribute, void* data)
{
    if (mnl_attr_get_type(attribute) == TCA_OPTIONS)
        return mnl_attr_parse_nested(attribute, read_option, data);
    return MNL_CB_OK;
}

int read_filter(const nlmsghdr* message, void* data)
{
    if (message->nlmsg_type != RTM_NEWTFILTER)
        return MNL_CB_OK;
    const auto* header = static_cast<const tcmsg*>(mnl_nlmsg_get_payload(message));
    TcFilter filter{.priority = TC_H_MAJ(header->tcm_info) >> 16, .handle = header->tcm_handle};
    mnl_attr_parse(message, sizeof(*header), read_attribute, &filter);
    if (filter.handle != 0 || filter.program != 0) // else the list itself, not a filter in it
        static_cast<std::vector<TcFilter>*>(data)->push_back(filter);
    return MNL_CB_OK;
}

Result<void> ask(mnl_socket* socket, uint32_t ifindex, const Hook& hook)
{
    char buffer[256] = {};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = RTM_GETTFILTER;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message->nlmsg_seq = 1;
    auto* header = static_cast<tcmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(tcmsg)));
    header->tcm_family = AF_UNSPEC;
    header->tcm_ifindex = static_cast<int>(ifindex);
    header->tcm_parent = parent_of(hook);
    if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
        return fail_errno("ask for tc filters");
    return {};
}

} // namespace

Result<std::vector<TcFilter>> filters_at(uint32_t ifindex, const Hook& hook)
{
    const auto socket = open_route_socket();
    if (!socket)
        return std::unexpected(socket.error());
    if (auto asked = ask(socket->get(), ifindex, hook); !asked)
        return std::unexpected(asked.error());
    std::vector<TcFilter> filters;
    std::vector<char> buffer(size_t{64} << 10);
    int more = MNL_CB_OK;
    while (more > MNL_CB_STOP) {
        const auto length = mnl_socket_recvfrom(socket->get(), buffer.data(), buffer.size());
        if (length < 0)
            return fail_errno("read tc filters");
        more = mnl_cb_run(buffer.data(), static_cast<size_t>(length), 1,
                          mnl_socket_get_portid(socket->get()), read_filter, &filters);
    }
    if (more < 0 && errno != ENODEV && errno != ENOENT && errno != EINVAL)
        return fail_errno("read tc filters");
    return filters;
}

} // namespace ebpfd
