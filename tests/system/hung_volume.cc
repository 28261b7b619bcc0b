// SPDX-License-Identifier: Apache-2.0
#include "system/hung_volume.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace system_test {

namespace {

template <class T> void reply(int device, const fuse_in_header& request, T body)
{
    fuse_out_header header{};
    header.len = sizeof(header) + sizeof(body);
    header.unique = request.unique;
    const std::array<iovec, 2> parts{{{&header, sizeof(header)}, {&body, sizeof(body)}}};
    (void)writev(device, parts.data(), parts.size());
}

void refuse(int device, uint64_t request, int code)
{
    fuse_out_header header{};
    header.len = sizeof(header);
    header.error = -code;
    header.unique = request;
    (void)write(device, &header, sizeof(header));
}

using Bytes = std::array<char, FUSE_MIN_READ_BUFFER * 2>;

uint64_t interrupted(const Bytes& bytes)
{
    fuse_interrupt_in what{};
    std::memcpy(&what, bytes.data() + sizeof(fuse_in_header), sizeof(what));
    return what.unique;
}

fuse_init_out version()
{
    fuse_init_out version{};
    version.major = FUSE_KERNEL_VERSION;
    version.minor = 31; // the size of what follows is the same since then
    version.max_write = 4096;
    return version;
}

fuse_attr_out folder_itself()
{
    fuse_attr_out folder{};
    folder.attr.ino = FUSE_ROOT_ID;
    folder.attr.mode = S_IFDIR | 0755;
    folder.attr.nlink = 2;
    return folder;
}

} // namespace

HungVolume::HungVolume(std::filesystem::path folder, Hangs hangs)
    : folder_(std::move(folder)), device_(open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK))
{
    EXPECT_TRUE(device_) << "/dev/fuse";
    const std::string options =
        fmt::format("fd={},rootmode=40000,user_id=0,group_id=0", device_.get());
    EXPECT_EQ(mount("hung", folder_.c_str(), "fuse", 0, options.c_str()), 0);
    if (hangs == Hangs::when_opened)
        thread_ = std::jthread([this](const std::stop_token& stop) { answer(stop); });
}

HungVolume::~HungVolume()
{
    give_up();
    umount2(folder_.c_str(), MNT_DETACH);
}

void HungVolume::give_up()
{
    thread_ = {};
    device_ = {};
}

void HungVolume::answer(const std::stop_token& stop)
{
    Bytes bytes{};
    while (!stop.stop_requested()) {
        pollfd wanted{device_.get(), POLLIN, 0};
        if (poll(&wanted, 1, 20) <= 0 || read(device_.get(), bytes.data(), bytes.size()) <= 0)
            continue;
        fuse_in_header request{};
        std::memcpy(&request, bytes.data(), sizeof(request));
        if (request.opcode == FUSE_INIT)
            reply(device_.get(), request, version());
        else if (request.opcode == FUSE_GETATTR)
            reply(device_.get(), request, folder_itself());
        else if (request.opcode == FUSE_OPENDIR)
            was_opened_ = true;                    // and no answer
        else if (request.opcode == FUSE_INTERRUPT) // else not even SIGKILL ends who waits
            refuse(device_.get(), interrupted(bytes), EINTR);
        else
            refuse(device_.get(), request.unique, ENOSYS);
    }
}

} // namespace system_test
