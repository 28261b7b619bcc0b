// SPDX-License-Identifier: Apache-2.0
#include "kernel/rings.h"

#include "base/log.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>

namespace ebpfd {

Result<std::unique_ptr<Rings>> Rings::open(const std::string& folder)
{
    auto rings = std::make_unique<Rings>();
    rings->epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
    if (!rings->epoll_)
        return fail_errno("make an epoll set");
    auto added = rings->add(RING_REFUSALS, folder + "/refusal_ring");
    if (added)
        added = rings->add(RING_FLOWS, folder + "/flow_ring");
    if (!added)
        return std::unexpected(added.error());
    return rings;
}

Result<void> Rings::add(ring which, const std::string& path)
{
    auto& source = sources_[which];
    source.rings = this;
    source.which = which;
    source.map = Fd(bpf_obj_get(path.c_str()));
    if (!source.map)
        return fail_errno("open " + path);
    source.buffer.reset(ring_buffer__new(source.map.get(), receive, &source, nullptr));
    if (!source.buffer)
        return fail_errno("map " + path + " into memory");
    // By edge: records that came without a wake-up wait for the timeout, which saves wake-ups.
    epoll_event interest{.events = EPOLLIN | EPOLLET, .data = {}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, source.map.get(), &interest) != 0)
        return fail_errno("wait for " + path);
    return {};
}

int Rings::receive(void* context, void* data, size_t size)
{
    auto& source = *static_cast<Source*>(context);
    if (size != sizeof(event)) {
        spdlog::debug("ring {}: a record of {} bytes is skipped", static_cast<int>(source.which),
                      size);
        return 0;
    }
    event record;
    std::memcpy(&record, data, sizeof(record));
    ++source.rings->received_;
    (*source.rings->sink_)(source.which, record);
    return 0;
}

Result<size_t> Rings::drain(std::chrono::milliseconds timeout, const Sink& sink)
{
    std::array<epoll_event, RING_COUNT> ready{};
    const int count = epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()),
                                 static_cast<int>(timeout.count()));
    if (count < 0 && errno != EINTR)
        return fail_errno("wait for records");
    sink_ = &sink;
    received_ = 0;
    for (const auto& source : sources_)
        if (const int code = ring_buffer__consume(source.buffer.get()); code < 0)
            return fail_errno("read records", code);
    return received_;
}

} // namespace ebpfd
