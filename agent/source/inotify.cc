// SPDX-License-Identifier: Apache-2.0
#include "source/inotify.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/inotify.h>
#include <vector>

namespace ebpfd {

Result<Inotify> Inotify::create()
{
    Fd fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!fd && errno == EMFILE)
        return fail_errno("inotify_init (raise sysctl fs.inotify.max_user_instances)", EMFILE);
    if (!fd)
        return fail_errno("inotify_init");
    return Inotify(std::move(fd));
}

Result<void> Inotify::add(const std::string& path, uint32_t mask, const Subscription& subscription,
                          Watches& watches)
{
    const int watch = inotify_add_watch(fd_.get(), path.c_str(), mask | IN_MASK_ADD);
    if (watch < 0 && errno == ENOSPC)
        return fail(ENOSPC, "watch " + path + ": raise sysctl fs.inotify.max_user_watches");
    if (watch < 0)
        return fail_errno("watch " + path);
    subscriptions_[watch].insert(subscription);
    watches.emplace(watch, subscription);
    return {};
}

void Inotify::drop(const Watches& old, const Watches& kept)
{
    for (const auto& entry : old) {
        if (kept.contains(entry))
            continue;
        const auto found = subscriptions_.find(entry.first);
        if (found == subscriptions_.end())
            continue; // the kernel ended it with its inode
        found->second.erase(entry.second);
        if (!found->second.empty())
            continue;
        inotify_rm_watch(fd_.get(), entry.first);
        subscriptions_.erase(found);
    }
}

Result<bool> Inotify::drain(const Listener& listener)
{
    // A queue of the default length, 16,384 events of 32 bytes, is read in 8 rounds.
    constexpr int most_rounds = 32;
    alignas(inotify_event) std::array<char, 64 * 1024> buffer;
    bool lost = false;
    for (int round = 0; round < most_rounds; ++round) {
        const ssize_t length = read(fd_.get(), buffer.data(), buffer.size());
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == EAGAIN)
            break;
        if (length < 0)
            return fail_errno("read inotify");
        inotify_event event;
        for (const char* at = buffer.data(); at < buffer.data() + length;
             at += sizeof(event) + event.len) {
            std::memcpy(&event, at, sizeof(event));
            // The name is padded with NUL bytes.
            const std::string name = event.len > 0 ? at + sizeof(event) : "";
            lost = lost || (event.mask & IN_Q_OVERFLOW) != 0;
            const auto found = subscriptions_.find(event.wd);
            if (found == subscriptions_.end())
                continue;
            for (const Subscription& subscription : found->second)
                listener(subscription, event.mask, name);
            if ((event.mask & IN_IGNORED) != 0)
                subscriptions_.erase(found);
        }
    }
    return lost;
}

} // namespace ebpfd
