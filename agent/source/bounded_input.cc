// SPDX-License-Identifier: Apache-2.0
#include "source/bounded_input.h"

#include <algorithm>

namespace ebpfd {

BoundedInput::int_type BoundedInput::underflow()
{
    constexpr size_t piece = 64 * 1024;
    if (given_ < text_.size() && given_ - std::min(given_, consumed_) >= MAX_AHEAD)
        ended_early_ = true; // and stays it, however far the reader gets with the rest
    if (ended_early_ || given_ == text_.size())
        return traits_type::eof();
    const std::string_view next = text_.substr(given_, piece);
    given_ += next.size();
    char* begin = const_cast<char*>(next.data()); // the interface's type; only read
    setg(begin, begin, begin + next.size());
    return traits_type::to_int_type(*begin);
}

} // namespace ebpfd
