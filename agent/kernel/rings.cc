// SPDX-License-Identifier: Apache-2.0
#include "kernel/rings.h"

#include "base/log.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <utility>

namespace ebpfd {
namespace {

// A turn is short against the time in which the ring of refusals fills; the turns of one drain
// are long against what it costs to wait again.
constexpr int turns = 64;
constexpr size_t refusals_in_a_turn = 16384;
constexpr size_t flows_in_a_turn = 1024;

} // namespace

std::optional<event> read_record(const void* data, size_t size)
{
    event record;
    if (size != sizeof(record))
        return std::nullopt;
    std::memcpy(&record, data, sizeof(record));
    return record;
}

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

// Stops the ring at hand, its records so far taken, when it has given what it may.
int Rings::receive(void* context, void* data, size_t size)
{
    auto& source = *static_cast<Source*>(context);
    Rings& rings = *source.rings;
    if (const auto record = read_record(data, size)) {
        ++rings.received_;
        (*rings.sink_)(source.which, *record);
    } else {
        spdlog::debug("ring {}: a record of {} bytes is skipped", static_cast<int>(source.which),
                      size);
        rings.unreadable_.fetch_add(1, std::memory_order_relaxed);
    }
    return --rings.allowed_ == 0 ? -EAGAIN : 0;
}

// Returns whether the ring may have more.
Result<bool> Rings::take(ring which, size_t most)
{
    allowed_ = most;
    const int code = ring_buffer__consume(sources_[which].buffer.get());
    if (code < 0 && code != -EAGAIN)
        return fail_errno("read records", code);
    return code == -EAGAIN;
}

Result<size_t> Rings::drain(std::chrono::milliseconds timeout, const Sink& sink)
{
    std::array<epoll_event, RING_COUNT> ready{};
    const int wait = std::exchange(more_, false) ? 0 : static_cast<int>(timeout.count());
    const int count = epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), wait);
    if (count < 0 && errno != EINTR)
        return fail_errno("wait for records");
    sink_ = &sink;
    received_ = 0;
    for (int turn = 0; turn < turns; turn++) {
        const auto refusals = take(RING_REFUSALS, refusals_in_a_turn);
        if (!refusals)
            return std::unexpected(refusals.error());
        const auto flows = take(RING_FLOWS, flows_in_a_turn);
        if (!flows)
            return std::unexpected(flows.error());
        if (!*refusals && !*flows)
            return received_;
    }
    more_ = true;
    return received_;
}

} // namespace ebpfd
