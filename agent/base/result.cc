// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <system_error>

namespace ebpfd {

std::unexpected<Error> fail_errno(std::string_view what, int code)
{
    code = std::abs(code);
    return fail(code, fmt::format("{}: {}", what, std::generic_category().message(code)));
}

std::unexpected<Error> fail_errno(std::string_view what)
{
    return fail_errno(what, errno);
}

} // namespace ebpfd
