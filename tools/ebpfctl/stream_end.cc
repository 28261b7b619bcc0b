// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/stream_end.h"

#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

namespace ebpfd::ctl {

StreamEnd::StreamEnd(int out, std::function<void()> finish) : finish_(std::move(finish))
{
    if (out < 0)
        return;
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, &mask_before_);
    signals_ = Fd(signalfd(-1, &ending, SFD_CLOEXEC));
    stop_ = Fd(eventfd(0, EFD_CLOEXEC));
    thread_ = std::thread([this, out] { watch(out); });
}

StreamEnd::~StreamEnd()
{
    if (!thread_.joinable())
        return;
    eventfd_write(stop_.get(), 1);
    thread_.join();
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void StreamEnd::watch(int out) const
{
    // Without events asked for, poll still tells that a pipe's reader is gone.
    pollfd waits[] = {{signals_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}, {out, 0, 0}};
    while (poll(waits, std::size(waits), -1) < 0 && errno == EINTR) {
    }
    if (waits[1].revents != 0)
        return;
    if (waits[0].revents != 0)
        finish_();
    _exit(0);
}

} // namespace ebpfd::ctl
