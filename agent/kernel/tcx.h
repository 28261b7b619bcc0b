// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/attachment.h"

namespace ebpfd {

// TCX links, pinned (Linux 6.6).
class TcxAttachment : public Attachment {
public:
    TcxAttachment(const Pins& pins, const Programs& programs) : pins_(pins), programs_(programs) {}
    std::string mode() const override { return "tcx"; }
    Result<void> attach(uint32_t ifindex) override;
    Result<void> detach(uint32_t ifindex) override;

private:
    Result<void> attach_one(uint32_t ifindex, const Hook& hook, const Fd& program);

    Pins pins_;
    const Programs& programs_;
};

// Ends what the pinned link does, at once, and unpins it.
Result<void> remove_link(const std::string& path);

} // namespace ebpfd
