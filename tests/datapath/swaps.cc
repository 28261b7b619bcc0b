// SPDX-License-Identifier: Apache-2.0
#include "datapath/swaps.h"

#include "lab/environment.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <iostream>
#include <pthread.h>
#include <sched.h>
#include <thread>

namespace bench {
namespace {

constexpr size_t few = 300;
constexpr size_t complaints_kept = 2000; // characters

void stay_on(unsigned cpu)
{
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu % std::max(1U, std::thread::hardware_concurrency()), &only);
    pthread_setaffinity_np(pthread_self(), sizeof(only), &only);
}

} // namespace

Swaps::Swaps()
{
    auto options = bench_.options();
    options.capacities.flow_ring = 1 << 20;
    options.capacities.refusal_ring = 1 << 20;
    bench_.reload(options);
}

void Swaps::side(size_t i, const std::string& name, const std::string& policies,
                 const std::set<std::string>& friends)
{
    names_.at(i) = name;
    plans_.at(i) = bench_.plan_of(policies, friends);
}

testing::AssertionResult Swaps::run()
{
    swap(1);
    first_ = bench_.datapath().generation();
    std::atomic<bool> done = false;
    std::jthread reader([&] {
        stay_on(0);
        judge_all(done);
    });
    std::jthread writer([&] {
        stay_on(1);
        swap(lab::count_of("EBPFD_SWAPS", few));
        done = true;
    });
    writer.join();
    reader.join();
    std::cout << fmt::format("{} swaps, {} failed; {} packets, {} of them across a flip, {} wrong; "
                             "{} records, {} wrong\n",
                             swapped_ - 1, failed_, judged_.packets, judged_.across, judged_.wrong,
                             records_, wrong_records_);
    if (judged_.packets == 0 || records_ == 0)
        return testing::AssertionFailure() << "nothing was judged";
    if (failed_ + judged_.wrong + wrong_records_ == 0)
        return testing::AssertionSuccess();
    return testing::AssertionFailure() << complaints_ << reader_complaints_;
}

void Swaps::swap(size_t times)
{
    for (size_t i = 0; i < times; ++i) {
        const size_t next = swapped_ & 1;
        const auto applied = bench_.datapath().apply(plans_.at(next));
        if (!applied || applied->changes == 0) {
            ++failed_;
            complaints_ += applied ? "nothing changed\n" : applied.error().message + "\n";
            return;
        }
        ++swapped_;
        auto& rules = rules_[applied->generation];
        for (const auto& [number, info] : bench_.datapath().rules())
            rules[number] = info->policy;
        check_records();
        rules_.erase(applied->generation - 1);
    }
}

void Swaps::judge_all(const std::atomic<bool>& done)
{
    const Hook from_web = bench_.hook("from_pod", bench_.web_ifindex());
    const Hook to_web = bench_.hook("to_pod", bench_.web_ifindex());
    while (!done)
        for (const Probe& probe : probes_)
            judge(probe.out ? from_web : to_web, probe);
}

void Swaps::judge(const Hook& hook, const Probe& probe)
{
    const uint32_t before = bench_.datapath().generation();
    const bool passed = hook.passes(probe.frame);
    const uint32_t after = bench_.datapath().generation();
    ++judged_.packets;
    judged_.across += before != after ? 1 : 0;
    if (passed == probe.passes.at(side_of(before)) || passed == probe.passes.at(side_of(after)))
        return;
    ++judged_.wrong;
    if (reader_complaints_.size() < complaints_kept)
        reader_complaints_ +=
            fmt::format("generations {} to {}: {} {}\n", before, after,
                        passed ? "passed" : "dropped", lab::describe(probe.frame));
}

void Swaps::check_records()
{
    for (const ::event& record : bench_.events()) {
        const std::string complaint = complaint_about(record);
        ++records_;
        if (complaint.empty())
            continue;
        ++wrong_records_;
        if (complaints_.size() < complaints_kept)
            complaints_ += complaint + "\n";
    }
}

std::string Swaps::complaint_about(const ::event& record) const
{
    const uint16_t number =
        ntohs(record.direction == DIRECTION_EGRESS ? record.key.pod_port : record.key.peer_port);
    const auto probe = std::ranges::find(probes_, number, &Probe::number);
    if (probe == probes_.end())
        return fmt::format("a record of no probe: port {}", number);
    const size_t side = side_of(record.generation);
    if ((record.verdict == VERDICT_ALLOW) != probe->passes.at(side))
        return fmt::format("generation {} said {} of {}", record.generation,
                           record.verdict == VERDICT_ALLOW ? "allow" : "deny",
                           lab::describe(probe->frame));
    const auto rules = rules_.find(record.generation);
    if (rules == rules_.end())
        return fmt::format("a record of generation {}", record.generation);
    const auto rule = rules->second.find(record.rule);
    if (rule == rules->second.end() || !rule->second.starts_with(names_.at(side)))
        return fmt::format("generation {} named rule {} ({})", record.generation, record.rule,
                           rule == rules->second.end() ? "unknown" : rule->second);
    return {};
}

} // namespace bench
