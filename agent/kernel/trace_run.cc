// SPDX-License-Identifier: Apache-2.0
#include "kernel/trace_run.h"

#include "ebpfd/trace.h"
#include "kernel/probe_packet.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <fmt/format.h>
#include <linux/pkt_cls.h>

namespace ebpfd {

Result<TraceAnswer> run_trace(const std::string& pin, const TraceQuestion& question)
{
    const Fd program(bpf_obj_get(pin.c_str()));
    return program ? run_trace(program, question) : fail_errno("open " + pin);
}

Result<TraceAnswer> run_trace(const Fd& program, const TraceQuestion& question)
{
    const auto packet = build_probe(question);
    if (!packet)
        return std::unexpected(packet.error());
    __sk_buff context{};
    context.cb[TRACE_IN_IFINDEX] = question.ifindex;
    context.cb[TRACE_IN_DIRECTION] = static_cast<uint32_t>(question.dir);
    __sk_buff answer{};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->data(),
                .data_size_in = static_cast<uint32_t>(packet->size()), .ctx_in = &context,
                .ctx_out = &answer, .ctx_size_in = sizeof(context), .ctx_size_out = sizeof(answer),
                .repeat = 1);
    if (bpf_prog_test_run_opts(program.get(), &options) != 0)
        return fail_errno("ask the loaded program");
    if (options.retval == TC_ACT_SHOT)
        return fail(ENOENT, fmt::format("interface {} is no endpoint", question.ifindex));
    const uint32_t outcome = answer.cb[TRACE_OUT_VERDICT];
    return TraceAnswer{.outcome = static_cast<verdict>(outcome & 0xff),
                       .why = static_cast<reason>(outcome >> 8),
                       .rule = answer.cb[TRACE_OUT_RULE],
                       .enforced_rule = answer.cb[TRACE_OUT_ENFORCED_RULE],
                       .ruleset = answer.cb[TRACE_OUT_RULESET],
                       .identity = answer.cb[TRACE_OUT_IDENTITY]};
}

} // namespace ebpfd
