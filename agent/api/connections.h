// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace ebpfd {

// Where a socket listens, as bytes that its accepted connections share: the path of a unix
// socket, the port of an IP one. Empty if it is no such socket.
std::string listening_place(int fd);

// Shuts down every connection of this process that was accepted there, so that threads which
// wait for a silent or slow client go on. httplib has no list of its connections: they are
// found among the open descriptors.
void cut_connections(const std::string& place);

} // namespace ebpfd
