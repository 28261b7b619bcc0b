// SPDX-License-Identifier: Apache-2.0
#include "lab/checksum.h"

namespace lab {

InternetChecksum& InternetChecksum::add(std::span<const uint8_t> bytes)
{
    for (size_t i = 0; i < bytes.size(); ++i)
        sum_ += i % 2 == 0 ? uint64_t{bytes[i]} << 8 : bytes[i];
    return *this;
}

InternetChecksum& InternetChecksum::add(uint32_t word)
{
    sum_ += (word >> 16) + (word & 0xffff);
    return *this;
}

uint16_t InternetChecksum::value() const
{
    uint64_t sum = sum_;
    while (sum > 0xffff)
        sum = (sum >> 16) + (sum & 0xffff);
    return static_cast<uint16_t>(~sum);
}

static uint32_t crc32c_step(uint32_t crc, std::span<const uint8_t> bytes)
{
    for (const uint8_t byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
    }
    return crc;
}

uint32_t crc32c(std::span<const uint8_t> first, std::span<const uint8_t> second)
{
    return ~crc32c_step(crc32c_step(0xffffffffU, first), second);
}

} // namespace lab
