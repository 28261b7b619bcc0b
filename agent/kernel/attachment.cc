// SPDX-License-Identifier: Apache-2.0
#include "kernel/attachment.h"

#include "kernel/clsact.h"
#include "kernel/tcx.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <climits>

namespace ebpfd {

bool kernel_has_tcx(const Programs& programs)
{
    // Linux before 6.6 knows no such type (EINVAL); later ones miss the interface (ENODEV).
    const Fd link(bpf_link_create(programs.judge[0].get(), INT_MAX, HOOKS[0].tcx, nullptr));
    return link || errno == ENODEV;
}

Result<std::unique_ptr<Attachment>> Attachment::make(AttachMode mode, const Pins& pins,
                                                     const Programs& programs)
{
    const bool tcx = kernel_has_tcx(programs);
    if (mode == AttachMode::tcx && !tcx)
        return fail(EOPNOTSUPP, "the kernel has no TCX links: use Linux 6.6 or clsact");
    if (tcx && mode != AttachMode::clsact)
        return std::make_unique<TcxAttachment>(pins, programs);
    return std::make_unique<ClsactAttachment>(pins, programs);
}

} // namespace ebpfd
