// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/datapath.h"
#include "kernel/hook.h"
#include "kernel/pins.h"

#include <cstdint>
#include <memory>
#include <string>

namespace ebpfd {

// Puts both programs on interfaces, in one of the ways the kernel has.
class Attachment {
public:
    // Automatic: TCX where the kernel has it, else clsact. The programs outlive the attachment.
    static Result<std::unique_ptr<Attachment>> make(AttachMode mode, const Pins& pins,
                                                    const Programs& programs);
    virtual ~Attachment() = default;

    virtual std::string mode() const = 0; // "tcx" or "clsact"
    // Where a program of ours runs already, it is replaced in place: no packet passes by.
    virtual Result<void> attach(uint32_t ifindex) = 0;
    // An interface that has none of ours gets a program that refuses every packet, which attach()
    // replaces in place. From any thread. For one that has just come, faster: if it turns out to
    // have ours already, behind somebody's filter, it may be closed for a moment all the same.
    virtual Result<void> shut(uint32_t ifindex) = 0;
    virtual Result<void> shut_newcomer(uint32_t ifindex) = 0;
    // The same, in place of ours as well.
    virtual Result<void> close(uint32_t ifindex) = 0;
    // Whether both programs are still there: others may have removed them.
    virtual Result<bool> holds(uint32_t ifindex) const = 0;
    // Takes ours away and leaves what others have there. No interface: no error.
    virtual Result<void> detach(uint32_t ifindex) = 0;
    // Of an interface that has gone: what is on another one of that number stays.
    virtual Result<void> forget(uint32_t ifindex) = 0;
};

// Asks the kernel by attaching to an interface that cannot exist.
bool kernel_has_tcx(const Programs& programs);

} // namespace ebpfd
