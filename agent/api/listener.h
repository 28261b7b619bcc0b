// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <httplib.h>
#include <unistd.h>

namespace ebpfd {

// httplib's server, with its socket.
class Listener : public httplib::Server {
public:
    int socket() const { return svr_sock_; }
    // stop() closes the socket of a server that runs only.
    void close_unserved()
    {
        if (const int fd = svr_sock_.exchange(INVALID_SOCKET); fd != INVALID_SOCKET)
            close(fd);
    }
};

} // namespace ebpfd
