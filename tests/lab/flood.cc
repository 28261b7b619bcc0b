// SPDX-License-Identifier: Apache-2.0
#include "lab/flood.h"

#include "base/fd.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <memory>
#include <net/if.h>
#include <sys/socket.h>
#include <thread>

namespace lab {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t batch = 32; // the kernel's queue between two namespaces takes 1,000

// Of this thread's network namespace.
uint32_t dropped_at(const std::string& interface)
{
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0)
        return 0;
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owned(list, freeifaddrs);
    for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next)
        if (one->ifa_addr != nullptr && one->ifa_addr->sa_family == AF_PACKET &&
            interface == one->ifa_name)
            return static_cast<const rtnl_link_stats*>(one->ifa_data)->tx_dropped;
    return 0;
}

ebpfd::Fd bound_to(const std::string& interface)
{
    ebpfd::Fd fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)); // hears nothing
    sockaddr_ll self{};
    self.sll_family = AF_PACKET;
    self.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    if (bind(fd.get(), reinterpret_cast<sockaddr*>(&self), sizeof(self)) != 0)
        return {};
    return fd;
}

// Sends frames with these numbers; what the kernel does not take at once it has counted as dropped.
void send_batch(int fd, const Flood& flood, uint64_t begin, uint64_t end)
{
    std::array<Bytes, batch> frames;
    std::array<iovec, batch> parts{};
    std::array<mmsghdr, batch> messages{};
    const size_t count = end - begin;
    for (size_t i = 0; i < count; ++i) {
        frames.at(i) = flood.frame(begin + i);
        parts.at(i) = {.iov_base = frames.at(i).data(), .iov_len = frames.at(i).size()};
        messages.at(i).msg_hdr.msg_iov = &parts.at(i);
        messages.at(i).msg_hdr.msg_iovlen = 1;
    }
    for (size_t done = 0; done < count;) {
        const int sent = sendmmsg(fd, &messages.at(done), static_cast<unsigned>(count - done), 0);
        done += sent > 0 ? static_cast<size_t>(sent) : 1;
    }
}

} // namespace

uint64_t send_flood(const Machine& from, const Flood& flood)
{
    uint64_t arrived = 0;
    from.netns.enter([&] {
        const ebpfd::Fd fd = bound_to(from.interface);
        if (!fd)
            return;
        const uint32_t before = dropped_at(from.interface);
        const auto start = Clock::now();
        for (uint64_t sent = 0; sent < flood.packets; sent += batch) {
            send_batch(fd.get(), flood, sent, std::min(sent + batch, flood.packets));
            const std::chrono::duration<double> due(static_cast<double>(sent) /
                                                    static_cast<double>(flood.per_second));
            std::this_thread::sleep_until(start + std::chrono::duration_cast<Clock::duration>(due));
        }
        arrived = flood.packets - (dropped_at(from.interface) - before);
    });
    return arrived;
}

} // namespace lab
