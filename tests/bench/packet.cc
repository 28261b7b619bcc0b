// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"
#include "bench/samples.h"
#include "datapath/bench.h"
#include "datapath/policies.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <functional>
#include <iterator>
#include <linux/bpf.h>

// What a packet costs, over a program that does nothing, in rounds that alternate.
namespace bench {
namespace {

using namespace lab;

constexpr int rounds = 9;
constexpr int repeat = 200000;

ebpfd::Fd load_empty()
{
    const bpf_insn code[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = -1},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    return ebpfd::Fd(
        bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "GPL", code, std::size(code), nullptr));
}

double nanoseconds(int program, const Bytes& frame, uint32_t ifindex)
{
    __sk_buff context{};
    context.ifindex = ifindex;
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
                .data_size_in = static_cast<__u32>(frame.size()), .ctx_in = &context,
                .ctx_size_in = sizeof(context), .repeat = repeat);
    return bpf_prog_test_run_opts(program, &run) ? -1 : static_cast<double>(run.duration);
}

struct Case {
    std::string name;
    std::string policy;
    std::string program;
    Bytes frame;
    std::function<void(Bench&)> prepare;
};

std::string many_rules(int count)
{
    std::string text = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: many, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress:
)";
    for (int i = 1; i < count; i++)
        text += fmt::format("  - {{to: [{{podSelector: {{matchLabels: {{app: other{}}}}}}}], "
                            "ports: [{{port: {}}}]}}\n",
                            i, 10000 + i);
    return text + "  - {to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}\n";
}

std::string many_cidrs(int count)
{
    std::string text = many_rules(1) + "  - to:\n";
    for (int i = 0; i < count; i++)
        text += fmt::format("    - ipBlock: {{cidr: 100.{}.{}.0/24}}\n", i / 256, i % 256);
    return text + "    ports: [{port: 443}]\n";
}

Packet to_db(bool v6 = false)
{
    return v6 ? Packet{}.eth().ipv6(web_v6, db_v6) : Packet{}.eth().ipv4(web_v4, db_v4);
}

void connect(Bench& bench)
{
    for (const bool v6 : {false, true}) {
        bench.from_web(to_db(v6).tcp(4000, 5432, SYN));
        bench.to_web((v6 ? Packet{}.eth().ipv6(db_v6, web_v6) : Packet{}.eth().ipv4(db_v4, web_v4))
                         .tcp(5432, 4000, SYN | ACK));
    }
}

std::vector<Case> cases()
{
    const auto established = to_db().tcp(4000, 5432, ACK).bytes();
    const auto established6 = to_db(true).tcp(4000, 5432, ACK).bytes();
    const auto judged = to_db().tcp(4001, 5432, RST | ACK).bytes();
    const auto refused = to_db().tcp(4001, 9999, SYN).bytes();
    const auto outside = Packet{}.eth().ipv4(web_v4, "100.1.2.3").tcp(4001, 443, RST).bytes();
    std::vector<Case> all;
    for (const auto& [size, policy] : {std::pair<std::string, std::string>{"1 rule", many_rules(1)},
                                       {"500 rules", many_rules(500)},
                                       {"10,000 CIDRs", many_cidrs(10000)}}) {
        all.push_back({"established, " + size, policy, "from_pod", established, connect});
        all.push_back({"established IPv6, " + size, policy, "from_pod", established6, connect});
        all.push_back({"judged and allowed, " + size, policy, "from_pod", judged, nullptr});
        all.push_back(
            {"refused, told once a second, " + size, policy, "from_pod", refused, nullptr});
    }
    all.push_back(
        {"judged by CIDR, 10,000 CIDRs", many_cidrs(10000), "from_pod", outside, nullptr});
    return all;
}

Samples measure(const Case& one, int empty)
{
    Bench bench;
    auto options = bench.options();
    options.capacities.cidrs = 32768;
    options.capacities.rules = 1024;
    options.capacities.ports = 8192;
    bench.reload(options);
    bench.enforce(one.policy);
    if (one.prepare)
        one.prepare(bench);
    const ebpfd::Fd program(bpf_obj_get((options.bpffs + "/progs/" + one.program).c_str()));
    Samples over_empty;
    for (int round = 0; round < rounds; round++)
        over_empty.add(nanoseconds(program.get(), one.frame, bench.web_ifindex()) -
                       nanoseconds(empty, one.frame, bench.web_ifindex()));
    return over_empty;
}

} // namespace

bool measure_packets()
{
    const ebpfd::Fd empty = load_empty();
    if (!empty)
        return false;
    fmt::print("| packet, ns over an empty program | min | median | max |\n|---|---|---|---|\n");
    for (const Case& one : cases()) {
        const Samples samples = measure(one, empty.get());
        fmt::print("| {} | {:.0f} | {:.0f} | {:.0f} |\n", one.name, samples.at(0), samples.at(0.5),
                   samples.at(1));
        std::fflush(stdout);
    }
    return true;
}

} // namespace bench
