// SPDX-License-Identifier: Apache-2.0
#include "analysis/outside_blocks.h"

namespace ebpfd {

namespace {

constexpr uint8_t V4_PREFIX = 96 + 24;
constexpr uint8_t V6_PREFIX = 64;

Cidr wide_block(const IpAddress& address)
{
    Cidr block{address, address.is_v4() ? V4_PREFIX : V6_PREFIX};
    for (size_t byte = block.prefix / 8; byte < block.address.bytes.size(); ++byte)
        block.address.bytes[byte] = 0;
    return block;
}

} // namespace

void OutsideBlocks::add(const IpAddress& address)
{
    blocks_[wide_block(address)].insert(address);
}

Cidr OutsideBlocks::block_of(const IpAddress& address) const
{
    const auto found = blocks_.find(wide_block(address));
    if (found == blocks_.end() || found->second.size() < MANY || book_.holds_known(found->first))
        return {address, 128};
    return found->first;
}

} // namespace ebpfd
