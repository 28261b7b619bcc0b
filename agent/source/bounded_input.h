// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <streambuf>
#include <string_view>

namespace ebpfd {

// A stream's text that ends early if its reader runs too far ahead of what it has made of
// it. yaml-cpp keeps up to 120 bytes of tokens for each byte of a list in brackets until the
// list is closed: 32 MiB of "[a,a,…" would take 4 GiB before the first event.
class BoundedInput : public std::streambuf {
public:
    static constexpr size_t MAX_AHEAD = size_t{4} << 20;

    explicit BoundedInput(std::string_view text) : text_(text) {}

    // What is made use of up to here, in bytes.
    void consumed(size_t position) { consumed_ = position; }
    bool ended_early() const { return ended_early_; }

private:
    int_type underflow() override;

    std::string_view text_;
    size_t given_ = 0;
    size_t consumed_ = 0;
    bool ended_early_ = false;
};

} // namespace ebpfd
