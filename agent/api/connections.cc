// SPDX-License-Identifier: Apache-2.0
#include "api/connections.h"

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace ebpfd {
namespace {

std::vector<int> open_descriptors()
{
    std::vector<int> out;
    std::error_code error;
    std::filesystem::directory_iterator entry("/proc/self/fd", error);
    for (; !error && entry != end(entry); entry.increment(error))
        out.push_back(std::atoi(entry->path().filename().c_str()));
    return out;
}

} // namespace

std::string listening_place(int fd)
{
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0)
        return {};
    const std::string_view bytes(reinterpret_cast<const char*>(&address), length);
    switch (address.ss_family) {
    case AF_UNIX:
        return std::string(bytes);
    case AF_INET:
    case AF_INET6:
        // A wildcard's connections have an address of their own; family and port are shared.
        static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
        return std::string(bytes.substr(0, offsetof(sockaddr_in, sin_addr)));
    default:
        return {};
    }
}

void cut_connections(const std::string& place)
{
    if (place.empty())
        return;
    for (const int fd : open_descriptors())
        if (listening_place(fd) == place)
            shutdown(fd, SHUT_RDWR);
}

} // namespace ebpfd
