// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/attachment.h"
#include "kernel/filters.h"
#include "kernel/owned.h"

namespace ebpfd {

// Filters of the clsact qdisc, beside those of others.
class ClsactAttachment : public Attachment {
public:
    ClsactAttachment(const Pins& pins, const Programs& programs) : owned_(pins), programs_(programs)
    {
    }
    std::string mode() const override { return "clsact"; }
    Result<void> attach(uint32_t ifindex) override;
    Result<void> detach(uint32_t ifindex) override;

private:
    // i: of the hook; filters: those that are there.
    Result<void> attach_one(uint32_t ifindex, size_t i, const std::vector<TcFilter>& filters);

    Ownership owned_;
    const Programs& programs_;
};

// Removes our filters from an interface, and the qdisc if nobody else has filters there.
Result<void> remove_filters(uint32_t ifindex, const Ownership& owned);

} // namespace ebpfd
