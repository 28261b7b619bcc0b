// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/address_book.h"

#include <cstddef>
#include <map>
#include <set>

namespace ebpfd {

// Gathers addresses outside the cluster into blocks of 256 (IPv6: /64) where there are many of
// one block, so that a thousand clients do not become a thousand lines.
class OutsideBlocks {
public:
    static constexpr size_t MANY = 8;

    // A block with somebody of the cluster inside is never made.
    explicit OutsideBlocks(const AddressBook& book) : book_(book) {}
    void add(const IpAddress& address);
    // Once all are there: the block, or the address alone.
    Cidr block_of(const IpAddress& address) const;

private:
    const AddressBook& book_;
    std::map<Cidr, std::set<IpAddress>> blocks_;
};

} // namespace ebpfd
