// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/attachment.h"
#include "kernel/filters.h"
#include "kernel/owned.h"

#include <array>
#include <mutex>
#include <vector>

namespace ebpfd {

// Removes our filters from an interface, but for those of the program of that id. The qdisc stays.
Result<void> remove_filters(uint32_t ifindex, const Ownership& owned, uint32_t spared = 0);
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
    Result<void> shut_newcomer(uint32_t ifindex) override;
    Result<void> close(uint32_t ifindex) override;
    Result<bool> holds(uint32_t ifindex) const override;
    Result<void> detach(uint32_t ifindex) override;
    Result<void> forget(uint32_t) override { return {}; } // they went with it
    // Removes the filters alone: links judge now. With spare_closed, not those that refuse
    // everything: they came when the interface was replaced by another meanwhile.
    Result<void> yield(uint32_t ifindex, bool spare_closed) const;

    // Whether a filter of ours is there, at this hook or at any; and whether it judges packets.
    Result<bool> is_attached(uint32_t ifindex, const Hook& hook) const;
    Result<bool> judges(uint32_t ifindex, const Hook& hook) const;
    Result<bool> is_attached(uint32_t ifindex) const;
    // From now on our filter at the hook leaves out what is marked as judged.
    // Where that is missing, or refuses everything, the interface may be another one by now:
    // ESTALE.
    Result<void> judge_rest(uint32_t ifindex, size_t hook);

private:
    std::mutex& lock_of(uint32_t ifindex) { return attaching_[ifindex % attaching_.size()]; }
    bool is_closed(const TcFilter& filter) const;
    bool is_ours(const TcFilter& filter) const;
    // Our filter among these, or nullptr.
    const TcFilter* find_ours(const std::vector<TcFilter>& filters) const;
    using Present = std::array<std::vector<TcFilter>, HOOKS.size()>;
    Result<Present> read_filters(uint32_t ifindex) const;
    // Refuses everything at a hook where none of ours is, behind the filters of others. One that
    // came before those was looked at goes.
    Result<void> shut_hook(uint32_t ifindex, size_t hook) const;
    Result<void> shut_hooks(uint32_t ifindex, Result<void> qdisc) const;
    Result<void> remove_others_of_ours(uint32_t ifindex, size_t hook,
                                       const std::vector<TcFilter>& filters) const;
    // Puts the program where ours is, or where nobody's is. filters: those that are there.
    Result<void> put_one(uint32_t ifindex, size_t hook, const Fd& program,
                         const std::vector<TcFilter>& filters) const;

    Ownership owned_;
    const Programs& programs_;
    const uint32_t closed_id_; // of programs_.closed; 0: an earlier agent's, which had none
    // attach() and shut() of an interface, each as a whole; one never waits for another
    // interface's, unless their numbers fall together.
    std::array<std::mutex, 64> attaching_;
};

} // namespace ebpfd
