// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>

namespace lab {

// The Internet checksum over several stretches of bytes; the last one alone may be odd.
class InternetChecksum {
public:
    InternetChecksum& add(std::span<const uint8_t> bytes);
    InternetChecksum& add(uint32_t word);
    uint16_t value() const;

private:
    uint64_t sum_ = 0;
};

// CRC32c as SCTP wants it, to be stored in little-endian order.
uint32_t crc32c(std::span<const uint8_t> first, std::span<const uint8_t> second);

} // namespace lab
