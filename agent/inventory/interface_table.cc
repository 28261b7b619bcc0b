// SPDX-License-Identifier: Apache-2.0
#include "inventory/interface_table.h"

namespace ebpfd {

// Other kinds use IFLA_LINK for what they are stacked on, which is no other end.
bool Link::has_distant_peer() const
{
    return is_paired() && peer != 0 && peer_nsid && *peer_nsid >= 0;
}

} // namespace ebpfd
