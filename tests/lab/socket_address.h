// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <arpa/inet.h>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace lab {

// An address and port of either family as the socket calls take it.
class SocketAddress {
public:
    SocketAddress(std::string_view address, uint16_t port)
    {
        const std::string text(address);
        if (address.find(':') == std::string_view::npos) {
            v4_.sin_family = AF_INET;
            v4_.sin_port = htons(port);
            inet_pton(AF_INET, text.c_str(), &v4_.sin_addr);
        } else {
            v6_.sin6_family = AF_INET6;
            v6_.sin6_port = htons(port);
            inet_pton(AF_INET6, text.c_str(), &v6_.sin6_addr);
        }
    }
    int family() const { return v4_.sin_family == AF_INET ? AF_INET : AF_INET6; }
    const sockaddr* get() const
    {
        return family() == AF_INET ? reinterpret_cast<const sockaddr*>(&v4_)
                                   : reinterpret_cast<const sockaddr*>(&v6_);
    }
    socklen_t size() const { return family() == AF_INET ? sizeof(v4_) : sizeof(v6_); }

private:
    sockaddr_in v4_{};
    sockaddr_in6 v6_{};
};

} // namespace lab
