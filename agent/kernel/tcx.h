// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/clsact.h"
#include "kernel/handover.h"

namespace ebpfd {

// TCX links, pinned (Linux 6.6), which other tools cannot remove by the way. To create one takes
// an RCU grace period under the network lock; a new interface does not wait for that: it gets
// filters at once, and the links take over in a quiet moment.
class TcxAttachment : public Attachment {
public:
    TcxAttachment(const Pins& pins, const Programs& programs);
    std::string mode() const override { return "tcx"; }
    Result<void> attach(uint32_t ifindex) override;
    Result<void> shut(uint32_t ifindex) override { return shut(ifindex, &ClsactAttachment::shut); }
    Result<void> shut_newcomer(uint32_t ifindex) override
    {
        return shut(ifindex, &ClsactAttachment::shut_newcomer);
    }
    Result<void> close(uint32_t ifindex) override;
    Result<bool> holds(uint32_t ifindex) const override;
    Result<void> detach(uint32_t ifindex) override;
    Result<void> forget(uint32_t ifindex) override;

private:
    Result<void> shut(uint32_t ifindex, Result<void> (ClsactAttachment::*by)(uint32_t));
    bool has_link(uint32_t ifindex, const Hook& hook) const;
    // Whether the hook has its link, which now runs the program.
    bool update_link(uint32_t ifindex, const Hook& hook, const Fd& program) const;
    Result<void> replace_program(uint32_t ifindex, const Hook& hook, const Fd& program) const;
    Result<void> create_link(uint32_t ifindex, const Hook& hook, const Fd& program) const;
    Result<void> link_at_once(uint32_t ifindex);
    Result<void> hand_over(uint32_t ifindex);
    Result<void> hand_over_one(uint32_t ifindex, size_t i); // i: of the hook

    Pins pins_;
    const Programs& programs_;
    ClsactAttachment filters_;
    Handover handover_;
};

// Ends what the pinned link does, at once, and unpins it.
Result<void> remove_link(const std::string& path);

} // namespace ebpfd
