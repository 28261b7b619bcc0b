// SPDX-License-Identifier: Apache-2.0
#include "lab/stamps.h"

#include "lab/port_filter.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace lab {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto interval = 100us;
constexpr int tap_bytes = 1 << 22;

bool bind_to(int fd, const std::string& interface, uint16_t protocol)
{
    sockaddr_ll self{};
    self.sll_family = AF_PACKET;
    self.sll_protocol = htons(protocol);
    self.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    return self.sll_ifindex != 0 &&
           bind(fd, reinterpret_cast<const sockaddr*>(&self), sizeof(self)) == 0;
}

} // namespace

int64_t now_ns()
{
    return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
}

EarlySender::EarlySender(const Machine& from, std::vector<Target> targets, uint64_t life)
    : from_(from), targets_(std::move(targets)), life_(life),
      thread_([this](const std::stop_token& stop) { from_.netns.enter([&] { run(stop); }); })
{
}

void EarlySender::begin_life(uint64_t life)
{
    life_ = life;
    sent_ = 0;
    first_ns_ = 0;
}

void EarlySender::run(const std::stop_token& stop)
{
    ebpfd::Fd fd;
    for (auto next = Clock::now(); !stop.stop_requested(); next += interval) {
        std::this_thread::sleep_until(next); // the rate, which nothing waits for
        if (!fd)
            fd = ebpfd::Fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
        if (if_nametoindex(from_.interface.c_str()) == 0 || !bind_to(fd.get(), from_.interface, 0))
            continue;
        while (!stop.stop_requested() && (errno = 0, send(fd.get()), errno != ENXIO)) {
            next += interval;
            std::this_thread::sleep_until(next);
        }
        fd = {};
    }
}

void EarlySender::send(int fd)
{
    const size_t target = turn_++ % targets_.size();
    const Stamp stamp{life_, now_ns(), target};
    Bytes content(sizeof(stamp));
    std::memcpy(content.data(), &stamp, sizeof(stamp));
    const auto& [beginning, port] = targets_[target];
    const Bytes frame = Packet(beginning).udp(port, port).payload(content).bytes();
    if (::send(fd, frame.data(), frame.size(), 0) != static_cast<ssize_t>(frame.size()))
        return;
    if (sent_++ == 0)
        first_ns_ = stamp.sent_ns;
}

StampTap::StampTap(const Machine& at, uint16_t port)
{
    at.netns.enter([&] {
        fd_ = ebpfd::Fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &tap_bytes, sizeof(tap_bytes));
        // Bound last: without the filter it would hear everything.
        if (!hear_only(fd_.get(), port, IPPROTO_UDP) ||
            !bind_to(fd_.get(), at.interface, ETH_P_ALL))
            fd_ = {};
    });
}

std::vector<Stamp> StampTap::take() const
{
    std::vector<Stamp> stamps;
    std::array<uint8_t, 256> frame{};
    for (;;) {
        const ssize_t length = recv(fd_.get(), frame.data(), frame.size(), 0);
        if (length < static_cast<ssize_t>(sizeof(Stamp)))
            return stamps;
        Stamp& stamp = stamps.emplace_back();
        std::memcpy(&stamp, frame.data() + length - sizeof(stamp), sizeof(stamp));
    }
}

} // namespace lab
