// SPDX-License-Identifier: Apache-2.0
#include "lab/kernel.h"

#include <sstream>
#include <sys/utsname.h>
#include <utility>

namespace lab {

bool kernel_has_tcx()
{
    utsname kernel{};
    uname(&kernel);
    int major = 0, minor = 0;
    char dot = 0;
    std::istringstream(kernel.release) >> major >> dot >> minor;
    return std::pair(major, minor) >= std::pair(6, 6);
}

} // namespace lab
