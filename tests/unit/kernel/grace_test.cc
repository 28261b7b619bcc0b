// SPDX-License-Identifier: Apache-2.0
#include "faults.h"
#include "kernel/grace.h"
#include "lab/packet.h"
#include "lab/process.h"
#include "slow.skel.h"

#include <atomic>
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <memory>
#include <sched.h>
#include <thread>
#include <vector>

using namespace ebpfd;

namespace {

struct Destroy {
    void operator()(slow* object) const { slow__destroy(object); }
};

void run_on(int cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
}

// One packet, judged by this thread.
void send_through(const slow& object)
{
    const auto packet = lab::Packet{}.eth().ipv4("10.1.0.10", "10.1.0.20").udp(1, 2).bytes();
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(),
                .data_size_in = static_cast<uint32_t>(packet.size()), .repeat = 1);
    EXPECT_EQ(bpf_prog_test_run_opts(bpf_program__fd(object.progs.slow), &options), 0);
}

TEST(Grace, NoPacketIsStillInAProgram)
{
    const std::unique_ptr<slow, Destroy> object(slow__open_and_load());
    ASSERT_NE(object, nullptr);
    const volatile auto& state = *object->bss;
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    for (uint32_t round = 1; round <= 20; ++round) {
        std::jthread sender([&] {
            run_on(static_cast<int>(round % static_cast<uint32_t>(cpus)));
            send_through(*object);
        });
        while (state.started < round)
            std::this_thread::yield();
        ASSERT_TRUE(wait_for_packets_in_flight());
        EXPECT_EQ(state.ended, round);
    }
}

// Each wait that another one is in the way of falls back on RCU; the next does not.
TEST(Grace, AWaitByRcuIsNotForEver)
{
    {
        std::vector<std::jthread> at_once;
        for (int i = 0; i < 4; ++i)
            at_once.emplace_back([] {
                for (int round = 0; round < 5; ++round)
                    EXPECT_TRUE(wait_for_packets_in_flight());
            });
    }
    EXPECT_TRUE(lab::eventually([] {
        faults::arm(1, faults::Ending::fail); // a call that a walk over the CPUs does not make
        EXPECT_TRUE(wait_for_packets_in_flight());
        return !faults::disarm();
    }));
}

} // namespace
