// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cerrno>
#include <cstdint>

// The seam that lets a test choose a call to the kernel that fails, or after which the process is
// gone. This program has its own syscall(), send(), rename() and so on: those of libbpf and libmnl
// come here, too, and what is tested knows nothing of it. Counted are bpf(2), membarrier(2),
// requests to tc, and changes of pins.
namespace faults {

enum class Ending : uint8_t { fail, crash };

inline constexpr int crashed = 86; // the exit code

// Whose calls: those of all threads, or of all but the one that asks.
enum class Whose : uint8_t { all, others };

// From now on calls are counted, and number (from 1) ends this way: it is not
// made and fails with code, or it is made and the process is gone at once.
void arm(uint64_t number, Ending ending, Whose whose = Whose::all, int code = ENOMEM);
// Reasons besides want of memory that such calls can have, in turns.
int other_reason(uint64_t number);
inline constexpr uint64_t other_reasons = 7;
// Whether it has come to that call.
bool came();
// Nothing is counted any more. Whether it came to that call.
bool disarm();

} // namespace faults
