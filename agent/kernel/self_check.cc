// SPDX-License-Identifier: Apache-2.0
#include "kernel/self_check.h"

#include "kernel/probe_packet.h"
#include "kernel/trace_run.h"
#include "model/names.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstdint>
#include <fmt/format.h>
#include <linux/pkt_cls.h>
#include <ranges>
#include <tuple>
#include <vector>

namespace ebpfd {

namespace {

constexpr size_t endpoints_asked = 16;
constexpr size_t peers_asked = 3; // of each: the next ones in the sample
constexpr uint16_t port_asked = 80;
constexpr auto PASS = static_cast<uint32_t>(TC_ACT_UNSPEC);

struct Local {
    uint32_t ifindex = 0;
    IpAddress address;
};

// Of the ranges that are kept for documentation: nobody's address.
IpAddress stranger(bool v4)
{
    return *IpAddress::parse(v4 ? "192.0.2.1" : "2001:db8::1");
}

std::vector<Local> sample(const EndpointRows& endpoints)
{
    std::vector<Local> out;
    for (const auto& [ifindex, row] : endpoints | std::views::take(endpoints_asked)) {
        const IpAddress address = row.name ? address_of(row.name->address[0]) : IpAddress{};
        out.push_back({ifindex, address == IpAddress{} ? stranger(true) : address});
    }
    return out;
}

TraceQuestion question(const Local& local, direction dir, const IpAddress& peer)
{
    const bool out = dir == DIRECTION_EGRESS;
    return {.ifindex = local.ifindex,
            .dir = dir,
            .source = out ? local.address : peer,
            .destination = out ? peer : local.address,
            .port = port_asked};
}

// In both directions, with a stranger and with some of the others.
std::vector<TraceQuestion> questions(const std::vector<Local>& locals)
{
    std::vector<TraceQuestion> out;
    for (size_t i = 0; i < locals.size(); ++i)
        for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
            const bool v4 = locals[i].address.is_v4();
            out.push_back(question(locals[i], dir, stranger(v4)));
            for (size_t next = 1; next <= std::min(peers_asked, locals.size() - 1); ++next)
                if (const Local& peer = locals[(i + next) % locals.size()];
                    peer.address.is_v4() == v4)
                    out.push_back(question(locals[i], dir, peer.address));
        }
    return out;
}

std::string text_of(const TraceQuestion& asked)
{
    return fmt::format("TCP {} to {}:{}, {} of interface {}", asked.source.text(),
                       asked.destination.text(), asked.port, direction_name(asked.dir),
                       asked.ifindex);
}

std::string text_of(const TraceAnswer& answer)
{
    return fmt::format("{} ({}, rule {})", verdict_name(answer.outcome), reason_name(answer.why),
                       answer.rule);
}

bool can_be(const TraceAnswer& answer)
{
    return answer.outcome < VERDICT_COUNT && reason_name(answer.why) != "unknown";
}

bool agree(const TraceAnswer& one, const TraceAnswer& other)
{
    const auto all = [](const TraceAnswer& answer) {
        return std::tie(answer.outcome, answer.why, answer.rule, answer.enforced_rule,
                        answer.ruleset, answer.identity);
    };
    return all(one) == all(other);
}

// A test run without a context has the loopback interface, which is no endpoint.
Result<void> check_stranger(const Fd& program, const char* name)
{
    const auto packet =
        build_probe({.source = stranger(true), .destination = stranger(true), .port = port_asked});
    if (!packet)
        return std::unexpected(packet.error());
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->data(),
                .data_size_in = static_cast<uint32_t>(packet->size()), .repeat = 1);
    if (bpf_prog_test_run_opts(program.get(), &options) != 0)
        return fail_errno(std::string("run ") + name);
    if (options.retval != PASS)
        return fail(EINVAL, fmt::format("{} returns {} for a packet of no pod", name,
                                        static_cast<int>(options.retval)));
    return {};
}

// before: nothing where there is no program whose answers should be the same.
Result<void> check_answer(const Fd& fresh, const Fd& before, const TraceQuestion& asked)
{
    const auto answer = run_trace(fresh, asked);
    if (!answer)
        return std::unexpected(answer.error());
    if (!can_be(*answer))
        return fail(EINVAL, fmt::format("{} is answered by what is no verdict", text_of(asked)));
    if (!before)
        return {};
    const auto earlier = run_trace(before, asked);
    if (!earlier)
        return std::unexpected(earlier.error());
    if (!agree(*earlier, *answer))
        return fail(EINVAL, fmt::format("{}: {}; the programs in force say {}", text_of(asked),
                                        text_of(*answer), text_of(*earlier)));
    return {};
}

} // namespace

Result<void> check_programs(const Programs& programs, const Pins& pins,
                            const EndpointRows& endpoints, bool same_meaning)
{
    const std::string trace = pins.program("trace_packet");
    const Fd fresh(bpf_obj_get((trace + Pins::NEXT).c_str()));
    // A first start that was cut short leaves maps, and no programs in force.
    const Fd before(same_meaning ? bpf_obj_get(trace.c_str()) : -1);
    Result<void> done;
    for (size_t i = 0; done && i < HOOKS.size(); ++i)
        done = check_stranger(programs.judge[i], HOOKS[i].program);
    for (const TraceQuestion& asked : questions(sample(endpoints)))
        if (done)
            done = check_answer(fresh, before, asked);
    return done ? done : fail("the new programs fail their check", done.error());
}

} // namespace ebpfd
