// SPDX-License-Identifier: Apache-2.0
#include "kernel/tc_batch.h"

#include "kernel/route_socket.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <vector>

namespace ebpfd {

namespace {

constexpr uint32_t first_filter = 1; // its priority and its handle

// Steps one behind the other, numbered from 0.
class Batch {
public:
    explicit Batch(uint32_t ifindex) : ifindex_(static_cast<int>(ifindex)) {}

    void add_qdisc() { put_qdisc(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL); }
    // EINVAL where it is of another kind.
    void find_qdisc() { put_qdisc(RTM_GETQDISC, 0); }
    void add_filter(const Hook& hook, const Fd& program)
    {
        begin(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, "bpf",
              {.handle = first_filter,
               .parent = parent_of(hook),
               .info = TC_H_MAKE(first_filter << 16, htons(ETH_P_ALL))});
        nlattr* options = mnl_attr_nest_start(message_, TCA_OPTIONS);
        mnl_attr_put_u32(message_, TCA_BPF_FD, static_cast<uint32_t>(program.get()));
        mnl_attr_put_u32(message_, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
        mnl_attr_nest_end(message_, options);
        end();
    }
    // Hands all of them over, and returns what became of each.
    Result<std::vector<int>> run() const;

private:
    struct Place {
        uint32_t handle;
        uint32_t parent;
        uint32_t info;
    };
    void put_qdisc(uint16_t type, uint16_t flags)
    {
        begin(type, flags, "clsact",
              {.handle = TC_H_MAKE(TC_H_CLSACT, 0), .parent = TC_H_CLSACT, .info = 0});
        end();
    }
    void begin(uint16_t type, uint16_t flags, const char* kind, const Place& place)
    {
        message_ = mnl_nlmsg_put_header(bytes_.data() + used_);
        message_->nlmsg_type = type;
        message_->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
        message_->nlmsg_seq = steps_++;
        auto& body = *static_cast<tcmsg*>(mnl_nlmsg_put_extra_header(message_, sizeof(tcmsg)));
        body.tcm_ifindex = ifindex_;
        body.tcm_handle = place.handle;
        body.tcm_parent = place.parent;
        body.tcm_info = place.info;
        mnl_attr_put_strz(message_, TCA_KIND, kind);
    }
    void end() { used_ += MNL_ALIGN(message_->nlmsg_len); }

    const int ifindex_;
    uint32_t steps_ = 0;
    size_t used_ = 0;
    nlmsghdr* message_ = nullptr;
    alignas(nlmsghdr) std::array<char, 512> bytes_{};
};

Result<std::vector<int>> Batch::run() const
{
    const auto socket = open_route_socket();
    if (!socket)
        return std::unexpected(socket.error());
    if (mnl_socket_sendto(socket->get(), bytes_.data(), used_) < 0)
        return fail_errno("send requests to tc");
    std::vector<int> outcome(steps_);
    alignas(nlmsghdr) std::array<char, 1024> answer{};
    for (uint32_t answered = 0; answered < steps_;) {
        const auto length = mnl_socket_recvfrom(socket->get(), answer.data(), answer.size());
        const auto& message = *reinterpret_cast<const nlmsghdr*>(answer.data());
        if (length < 0)
            return fail_errno("read what became of requests to tc");
        if (message.nlmsg_type != NLMSG_ERROR || message.nlmsg_seq >= steps_)
            continue; // what was found
        outcome[message.nlmsg_seq] =
            -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message))->error;
        ++answered;
    }
    return outcome;
}

} // namespace

Result<TcOutcome> add_qdisc_and_filters(uint32_t ifindex, const Fd& program)
{
    Batch batch(ifindex);
    batch.add_qdisc();
    for (const Hook& hook : HOOKS)
        batch.add_filter(hook, program);
    const auto outcome = batch.run();
    if (!outcome)
        return std::unexpected(outcome.error());
    return TcOutcome{.qdisc = (*outcome)[0], .filters = {(*outcome)[1], (*outcome)[2]}};
}

Result<bool> has_clsact(uint32_t ifindex)
{
    Batch batch(ifindex);
    batch.find_qdisc();
    const auto outcome = batch.run();
    if (!outcome)
        return std::unexpected(outcome.error());
    if (outcome->front() != 0 && outcome->front() != EINVAL)
        return fail_errno("look for the clsact qdisc", outcome->front());
    return outcome->front() == 0;
}

} // namespace ebpfd
