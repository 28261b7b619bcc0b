// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/attachment.h"
#include "kernel/filters.h"
#include "kernel/owned.h"

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
    ClsactAttachment(const Pins& pins, const Programs& programs) : owned_(pins), programs_(programs)
    {
    }
    std::string mode() const override { return "clsact"; }
    Result<void> attach(uint32_t ifindex) override;
    Result<bool> holds(uint32_t ifindex) const override;
    Result<void> detach(uint32_t ifindex) override;
    // Removes the filters alone: links judge now.
    Result<void> yield(uint32_t ifindex) const { return remove_filters(ifindex, owned_); }

    // Whether a filter of ours is there, at this hook or at any.
    Result<bool> is_attached(uint32_t ifindex, const Hook& hook) const;
    Result<bool> is_attached(uint32_t ifindex) const;
    // From now on our filter at the hook leaves out what is marked as judged.
    // No filter, which somebody else may have removed: no error.
    Result<void> judge_rest(uint32_t ifindex, size_t hook) const;

private:
    // Our filter among these, or nullptr.
    const TcFilter* find_ours(const std::vector<TcFilter>& filters) const;
    // filters: those that are there.
    Result<void> attach_one(uint32_t ifindex, size_t hook,
                            const std::vector<TcFilter>& filters) const;

    Ownership owned_;
    const Programs& programs_;
};

} // namespace ebpfd
