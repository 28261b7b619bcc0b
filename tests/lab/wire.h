// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "lab/node.h"
#include "lab/socket.h"

#include <string>
#include <string_view>

namespace lab {

// Frames as they are, sent and seen at a machine's own interface.
class Wire {
public:
    explicit Wire(const Machine& machine);
    // interface: of this thread's network namespace.
    explicit Wire(const std::string& interface);
    explicit operator bool() const { return static_cast<bool>(fd_); }
    bool send(const Bytes& frame) const;
    // Whether a frame with this text in it comes in within the time.
    bool sees(std::string_view marker, Milliseconds timeout) const;

private:
    ebpfd::Fd fd_;
};

// Sends the frame into the network from its pod, and tells whether what carries the marker
// arrives at the machine.
bool arrives(const Machine& from, const Machine& to, const Bytes& frame, std::string_view marker,
             Milliseconds timeout);

// Whether the machine gets an ICMP echo reply from the address.
bool ping(const Machine& from, std::string_view address, Milliseconds timeout);

} // namespace lab
