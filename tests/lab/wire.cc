// SPDX-License-Identifier: Apache-2.0
#include "lab/wire.h"

#include "lab/socket_address.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <span>
#include <string>

namespace lab {
namespace {

// Reads until one is found that fits, or time is up. found gets the bytes and their direction.
template <class Found> bool await(int fd, Milliseconds timeout, const Found& found)
{
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::array<uint8_t, 65536> buffer{};
    for (;;) {
        const auto left =
            std::chrono::duration_cast<Milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
        if (poll(&entry, 1, std::max(0, static_cast<int>(left.count()))) != 1)
            return false;
        sockaddr_ll from{};
        socklen_t size = sizeof(from);
        const ssize_t length = recvfrom(fd, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                        reinterpret_cast<sockaddr*>(&from), &size);
        if (length > 0 && found(std::span(buffer).first(static_cast<size_t>(length)), from))
            return true;
    }
}

Bytes echo_bytes(bool wide, uint16_t id)
{
    Packet packet;
    if (wide)
        packet.ipv6("::", "::").echo_request(id);
    else
        packet.ipv4("0.0.0.0", "0.0.0.0").echo_request(id);
    const Bytes whole = packet.bytes(); // the kernel makes the IP header, and ICMPv6's checksum
    return {whole.begin() + (wide ? 40 : 20), whole.end()};
}

} // namespace

Wire::Wire(const Machine& machine)
{
    machine.netns.enter([&] { *this = Wire(machine.interface); });
}

Wire::Wire(const std::string& interface)
    : fd_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)))
{
    sockaddr_ll self{};
    self.sll_family = AF_PACKET;
    self.sll_protocol = htons(ETH_P_ALL);
    self.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    if (bind(fd_.get(), reinterpret_cast<sockaddr*>(&self), sizeof(self)) != 0)
        fd_ = ebpfd::Fd();
}

bool Wire::send(const Bytes& frame) const
{
    return fd_ &&
           ::send(fd_.get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
}

bool Wire::sees(std::string_view marker, Milliseconds timeout) const
{
    return fd_ && await(fd_.get(), timeout, [&](std::span<const uint8_t> bytes, const auto& from) {
               return from.sll_pkttype != PACKET_OUTGOING &&
                      std::ranges::search(bytes, marker).begin() != bytes.end();
           });
}

bool arrives(const Machine& from, const Machine& to, const Bytes& frame, std::string_view marker,
             Milliseconds timeout)
{
    const Wire target(to);
    return Wire(from).send(frame) && target.sees(marker, timeout);
}

bool ping(const Machine& from, std::string_view address, Milliseconds timeout)
{
    static std::atomic<uint16_t> next_id = 1;
    const uint16_t id = next_id++;
    const SocketAddress peer(address, 0);
    const bool wide = peer.family() == AF_INET6;
    ebpfd::Fd fd;
    from.netns.enter([&] {
        fd = ebpfd::Fd(
            socket(peer.family(), SOCK_RAW | SOCK_CLOEXEC,
                   wide ? static_cast<int>(IPPROTO_ICMPV6) : static_cast<int>(IPPROTO_ICMP)));
    });
    const Bytes request = echo_bytes(wide, id);
    if (sendto(fd.get(), request.data(), request.size(), 0, peer.get(), peer.size()) < 0)
        return false;
    return await(fd.get(), timeout, [&](std::span<const uint8_t> bytes, const auto&) {
        const auto icmp = wide ? bytes : bytes.subspan((bytes[0] & 15U) * 4U);
        return icmp[0] == (wide ? ICMP6_ECHO_REPLY : 0) && icmp[4] == id >> 8 &&
               icmp[5] == (id & 0xff);
    });
}

} // namespace lab
