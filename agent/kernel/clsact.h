// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/attachment.h"
#include "kernel/filters.h"
#include "kernel/owned.h"

#include <array>
#include <mutex>
#include <vector>

namespace ebpfd {

// Removes our filters from an interface. The qdisc stays.
Result<void> remove_filters(uint32_t ifindex, const Ownership& owned);
// Removes the qdisc from an interface of ours, unless somebody has filters there. For interfaces
// that nobody enforces any longer: whenever a qdisc comes or goes, the kernel stops the queues for
// a moment, and what is sent to the pod meanwhile is lost.
Result<void> remove_empty_qdisc(uint32_t ifindex);

// Filters of the clsact qdisc, beside those of others.
class ClsactAttachment : public Attachment {
public:
    ClsactAttachment(const Pins& pins, const Programs& programs);
    std::string mode() const override { return "clsact"; }
    Result<void> attach(uint32_t ifindex) override;
    Result<void> shut(uint32_t ifindex) override;
    Result<bool> holds(uint32_t ifindex) const override;
    Result<void> detach(uint32_t ifindex) override;
    // Removes the filters alone: links judge now.
    Result<void> yield(uint32_t ifindex) const { return remove_filters(ifindex, owned_); }

    // Whether a filter of ours is there, at this hook or at any; and whether it judges packets.
    Result<bool> is_attached(uint32_t ifindex, const Hook& hook) const;
    Result<bool> judges(uint32_t ifindex, const Hook& hook) const;
    Result<bool> is_attached(uint32_t ifindex) const;
    // From now on our filter at the hook leaves out what is marked as judged.
    // No filter, which somebody else may have removed: no error.
    Result<void> judge_rest(uint32_t ifindex, size_t hook) const;

private:
    bool is_closed(const TcFilter& filter) const;
    // Our filter among these, or nullptr.
    const TcFilter* find_ours(const std::vector<TcFilter>& filters) const;
    using Present = std::array<std::vector<TcFilter>, HOOKS.size()>;
    Result<Present> read_filters(uint32_t ifindex) const;
    // Puts the program where ours is, or where nobody's is. filters: those that are there.
    Result<void> put_one(uint32_t ifindex, size_t hook, const Fd& program,
                         const std::vector<TcFilter>& filters) const;

    Ownership owned_;
    const Programs& programs_;
    const uint32_t closed_id_; // of programs_.closed; 0: an earlier agent's, which had none
    std::mutex attaching_;     // attach() and shut(), each as a whole
};

} // namespace ebpfd
