// SPDX-License-Identifier: Apache-2.0
#include "base/interface_name.h"

#include <array>
#include <net/if.h>

namespace ebpfd {

std::string interface_name(uint32_t ifindex)
{
    std::array<char, IF_NAMESIZE> name{};
    return if_indextoname(ifindex, name.data()) != nullptr ? name.data() : "";
}

bool has_other_name(uint32_t ifindex, const std::string& name)
{
    const auto found = interface_name(ifindex);
    return !found.empty() && found != name;
}

} // namespace ebpfd
