// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"
#include "bench/crowd.h"
#include "bench/groups.h"
#include "kernel/datapath.h"
#include "kernel/raw_map.h"
#include "observe/observer.h"
#include "record_reader.h"

#include <array>
#include <atomic>
#include <bpf/bpf.h>
#include <chrono>
#include <ctime>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <utility>

// What an event costs the agent: from the rings to the readers' queues, and on to a line.
namespace bench {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;
using ebpfd::Fd;

constexpr int rounds = 5;
constexpr uint64_t events_in_a_round = 400'000;
constexpr size_t batch_records = 256; // as the agent hands them on

double cpu_ns(clockid_t clock)
{
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Names for 100 local pods with 10 peers each, and the records of their flows.
std::shared_ptr<const ebpfd::Names> names()
{
    auto out = std::make_shared<ebpfd::Names>();
    for (uint32_t pod = 0; pod < 1100; pod++) {
        const auto name = std::make_shared<ebpfd::PodName>(
            ebpfd::PodName{.pod_namespace = "shop",
                           .pod = fmt::format("pod-{}", pod),
                           .interface = pod < 100 ? fmt::format("veth{}", pod) : ""});
        if (pod < 100)
            out->interfaces[pod] = name;
        out->addresses[*ebpfd::IpAddress::parse(fmt::format("10.0.{}.{}", pod / 256, pod % 256))] =
            name;
    }
    out->rules[9] = std::make_shared<ebpfd::RuleName>(
        ebpfd::RuleName{"shop", "allow", RULE_NETWORK_POLICY, DIRECTION_EGRESS, 2, "a.yaml", 12});
    return out;
}

::event record(uint32_t number)
{
    ::event out{};
    const uint32_t peer = 100 + number % 1000;
    const auto address =
        *ebpfd::IpAddress::parse(fmt::format("10.0.{}.{}", peer / 256, peer % 256));
    std::ranges::copy(address.bytes, out.key.peer);
    out.time_ns = number;
    out.key.ifindex = number % 100;
    out.key.protocol = IPPROTO_TCP;
    out.rule = 9;
    out.direction = DIRECTION_EGRESS;
    out.type = number % 10 == 0 ? EVENT_DROP : EVENT_FLOW_OPEN;
    return out;
}

// Followers that take what comes, without making lines of it, or that take nothing.
class Followers {
public:
    Followers(ebpfd::Observer& observer, int count, bool reading,
              const ebpfd::RecordFilter& filter = {})
    {
        for (int i = 0; i < count; i++)
            readers_.push_back(observer.subscribe(filter, {.last = 0}));
        for (const auto& reader : readers_)
            if (reading)
                threads_.emplace_back([&reader](const std::stop_token& stop) {
                    while (!stop.stop_requested())
                        (void)reader->next(10ms);
                });
    }

private:
    std::vector<std::shared_ptr<ebpfd::LiveReader>> readers_;
    std::vector<std::jthread> threads_;
};

struct Audience {
    const char* name;
    int readers;
    bool reading;
    std::multimap<std::string, std::string> filter;
};

Samples measure_consume(const Audience& audience)
{
    std::vector<std::vector<::event>> batches(64);
    for (uint32_t i = 0; i < batches.size() * batch_records; i++)
        batches[i / batch_records].push_back(record(i));
    Samples samples;
    for (int round = 0; round < rounds; round++) {
        ebpfd::Observer observer;
        observer.set_names(names());
        const Followers followers(observer, audience.readers, audience.reading,
                                  must(ebpfd::RecordFilter::parse(audience.filter)));
        const double start = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
        for (uint64_t i = 0; i < events_in_a_round / batch_records; i++)
            observer.consume(batches[i % batches.size()]);
        samples.add((cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - start) /
                    static_cast<double>(events_in_a_round));
    }
    return samples;
}

Samples measure_lines()
{
    constexpr int lines = 20'000;
    const auto known = names();
    const auto one = ebpfd::attribute(record(1), *known, 0);
    Samples samples;
    for (int round = 0; round < rounds; round++) {
        const double start = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
        size_t bytes = 0;
        for (int i = 0; i < lines; i++)
            bytes += to_json_line(one).size();
        if (bytes == 0)
            throw std::runtime_error("a line is empty");
        samples.add((cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / lines);
    }
    return samples;
}

// Puts records of zeroes, but for their type, into a ring, and wakes the reader up as often as the
// datapath does.
class Producer {
public:
    Producer(const std::string& maps, const char* ring, ::event_type type)
        : ring_(must(ebpfd::RawMap::open_pinned(maps, ring))), quiet_(load(type, BPF_RB_NO_WAKEUP)),
          waking_(load(type, BPF_RB_FORCE_WAKEUP))
    {
    }
    void run(int times)
    {
        constexpr uint64_t wakeup_bytes = 1 << 18; // as in bpf/record.bpf.h
        constexpr uint64_t records_a_wakeup = wakeup_bytes / (sizeof(::event) + BPF_RINGBUF_HDR_SZ);
        const uint64_t before = std::exchange(sent_, sent_ + static_cast<uint64_t>(times));
        const bool wakes = before / records_a_wakeup != sent_ / records_a_wakeup;
        run(quiet_, wakes ? times - 1 : times);
        if (wakes)
            run(waking_, 1);
    }

private:
    Fd load(::event_type type, int32_t flags) const
    {
        constexpr auto size = static_cast<int16_t>(sizeof(::event));
        constexpr auto type_at = static_cast<int16_t>(offsetof(::event, type) - sizeof(::event));
        std::vector<bpf_insn> code;
        for (int16_t at = -size; at < 0; at = static_cast<int16_t>(at + 8))
            code.push_back({BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, at, 0});
        code.push_back({BPF_ST | BPF_MEM | BPF_B, BPF_REG_10, 0, type_at, type});
        code.push_back({BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, ring_.fd()});
        code.push_back({});
        code.push_back({BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0});
        code.push_back({BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -size});
        code.push_back({BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, size});
        code.push_back({BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, flags});
        code.push_back({BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_output});
        code.push_back({BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0});
        code.push_back({BPF_JMP | BPF_EXIT, 0, 0, 0, 0});
        Fd program(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "producer", "GPL", code.data(),
                                 code.size(), nullptr));
        if (!program)
            throw std::runtime_error("the producer cannot be loaded");
        return program;
    }
    static void run(const Fd& program, int times)
    {
        std::array<char, 64> packet{};
        LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(),
                    .data_size_in = packet.size(), .repeat = times);
        if (bpf_prog_test_run_opts(program.get(), &options) != 0)
            throw std::runtime_error("the producer does not run");
    }

    ebpfd::RawMap ring_;
    Fd quiet_;
    Fd waking_;
    uint64_t sent_ = 0;
};

struct Offered {
    uint64_t refusals = 0;
    uint64_t flows = 0;
    double cpu_ns = 0; // of offering them
    double seconds = 0;
};

// A million records a second, one in ten a refusal.
Offered offer(Producer& refusals, Producer& flows, seconds span)
{
    Offered out;
    const auto start = steady_clock::now();
    const double cpu_before = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    while (steady_clock::now() - start < span) {
        const auto due = static_cast<uint64_t>(
            duration<double, std::micro>(steady_clock::now() - start).count());
        if (out.refusals + out.flows + 1000 > due) {
            std::this_thread::sleep_for(200us);
            continue;
        }
        refusals.run(100);
        flows.run(900);
        out.refusals += 100;
        out.flows += 900;
    }
    out.cpu_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
    out.seconds = duration<double>(steady_clock::now() - start).count();
    return out;
}

uint64_t resident_kib()
{
    uint64_t size = 0;
    uint64_t resident = 0;
    FILE* file = std::fopen("/proc/self/statm", "re");
    if (!file || std::fscanf(file, "%lu %lu", &size, &resident) != 2)
        throw std::runtime_error("no memory figures");
    std::fclose(file);
    return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

void measure_overload(Run& run, int readers)
{
    ebpfd::DatapathOptions options;
    options.bpffs = fmt::format("/sys/fs/bpf/events-bench-{}", getpid());
    auto datapath = must(ebpfd::Datapath::open(options));
    ebpfd::Observer observer;
    Offered offered;
    double cpu = 0;
    const uint64_t memory_before = resident_kib();
    {
        Producer refusals(options.bpffs + "/maps", "refusal_ring", EVENT_DROP);
        Producer flows(options.bpffs + "/maps", "flow_ring", EVENT_FLOW_OPEN);
        const Followers followers(observer, readers, true);
        const ebpfd::RecordReader reader(*datapath, observer);
        const double before = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
        offered = offer(refusals, flows, run.quick() ? 1s : 3s);
        std::this_thread::sleep_for(200ms); // a drain comes each 50 ms
        cpu = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - before - offered.cpu_ns;
    }
    const auto counts = observer.counts();
    const auto read = static_cast<double>(counts.consumed);
    const auto show = [&](const char* name, const char* unit, double value) {
        run.record({.group = "events", .name = name, .unit = unit, .size_name = "followers"},
                   "1,000,000 events/s offered", readers, Samples({value}));
    };
    show("events offered", "events/s",
         static_cast<double>(offered.refusals + offered.flows) / offered.seconds);
    show("flow events lost", "%",
         100 - 100 * static_cast<double>(counts.by_type[EVENT_FLOW_OPEN]) /
                   static_cast<double>(offered.flows));
    show("refusals lost", "events",
         static_cast<double>(offered.refusals - counts.by_type[EVENT_DROP]));
    show("agent CPU an event, overloaded", "ns", cpu / read);
    show("memory more", "KiB", static_cast<double>(resident_kib() - memory_before));
    datapath.reset();
    (void)ebpfd::Datapath::detach(options.bpffs);
}

} // namespace

void measure_events(Run& run)
{
    const Measurement cpu{.group = "events", .name = "agent CPU an event", .unit = "ns"};
    const Audience audiences[] = {{"nobody", 0, true, {}},
                                  {"1 follower", 1, true, {}},
                                  {"10 followers", 10, true, {}},
                                  {"10 followers of refusals", 10, true, {{"type", "drop"}}},
                                  {"10 followers that take nothing", 10, false, {}}};
    for (const Audience& audience : audiences)
        run.record(cpu, audience.name, {}, measure_consume(audience));
    run.record(cpu, "a line of JSON for one of them", {}, measure_lines());
    for (const int readers : {0, 1, 10})
        measure_overload(run, readers);
}

} // namespace bench
