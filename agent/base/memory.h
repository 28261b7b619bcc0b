// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <cerrno>
#include <new>
#include <string_view>

namespace ebpfd {

// Does the work, whose result is a Result. Where libraries say by exception that there is no more
// memory, that becomes an Error here: "what: Cannot allocate memory".
template <class Work> auto unless_out_of_memory(std::string_view what, Work&& work)
{
    try {
        return work();
    } catch (const std::bad_alloc&) {
        return decltype(work())(fail_errno(what, ENOMEM));
    }
}

} // namespace ebpfd
