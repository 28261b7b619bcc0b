// SPDX-License-Identifier: Apache-2.0
#include "fault_scene.h"

#include "kernel/hook.h"
#include "kernel/trace_run.h"
#include "lab/process.h"
#include "plans.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cstdlib>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <net/if.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ebpfd;

void FaultScene::SetUp()
{
    auto netns = lab::NetNamespace::create("faults");
    ASSERT_TRUE(netns) << netns.error().message;
    netns_ = std::move(*netns);
    for (const std::string name : {"web", "api", "old"}) {
        ASSERT_TRUE(netns_->ip(fmt::format("link add {0} type veth peer name {0}-pod\n"
                                           "link set {0} up\nlink set {0}-pod up\n",
                                           name)));
        inside([&] { interfaces_[name] = if_nametoindex(name.c_str()); });
    }
}

Plan FaultScene::first() const
{
    Plan plan = web_plan();
    add_identity(plan, "api", "10.1.0.30");
    plan.services.push_back({*IpAddress::parse("10.96.0.1"), 80, 6, 1});
    plan.endpoints.edit(0).ifindex = interfaces_.at("web");
    add_endpoint(plan, interfaces_.at("old"), "old", 0);
    return plan;
}

Plan FaultScene::second() const
{
    Plan plan;
    const uint32_t allow = add_rule(plan, "next-policy", 0);
    const uint32_t isolate = add_rule(plan, "next-policy", 1);
    add_identity(plan, "web", "10.1.0.10");
    add_identity(plan, "api", "10.1.0.20");
    const uint32_t db = add_identity(plan, "db", "10.1.0.30");
    add_identity(plan, "another", "10.1.0.40");
    const uint32_t set = add_ruleset(plan, "next ingress", allow, isolate, db);
    plan.rulesets.edit(set).cidrs[0].cidr = *Cidr::parse("198.51.100.0/24");
    plan.rulesets.edit(set).ports[0].port = 81;
    plan.services.push_back({*IpAddress::parse("10.96.0.2"), 80, 6, db});
    add_endpoint(plan, interfaces_.at("web"), "web", set);
    add_endpoint(plan, interfaces_.at("api"), "api", set);
    return plan;
}

Result<std::unique_ptr<Datapath>> FaultScene::open() const
{
    auto options = small_options(bpffs_);
    options.attach = GetParam();
    return Datapath::open(options);
}

std::vector<std::string> FaultScene::answers() const
{
    std::vector<std::string> out;
    const std::string program = bpffs_.path() + "/progs/trace_packet";
    for (const char* source : {"10.1.0.20", "10.1.0.30", "192.0.2.9", "198.51.100.9"})
        for (const uint16_t port : {uint16_t{80}, uint16_t{81}}) {
            const auto answer =
                value_of(run_trace(program, {.ifindex = interfaces_.at("web"),
                                             .dir = DIRECTION_INGRESS,
                                             .source = *IpAddress::parse(source),
                                             .destination = *IpAddress::parse("10.1.0.10"),
                                             .port = port}));
            out.push_back(fmt::format("{}:{} {}", source, port,
                                      is_refused(answer.outcome) ? "refused" : "passes"));
        }
    return out;
}

namespace {

bool has_link(uint32_t ifindex, const Hook& hook)
{
    uint32_t programs[8] = {};
    LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = programs, .prog_cnt = 8);
    return bpf_prog_query_opts(static_cast<int>(ifindex), hook.tcx, &query) == 0 &&
           query.prog_cnt > 0;
}

bool has_filter(uint32_t ifindex, const Hook& hook)
{
    LIBBPF_OPTS(bpf_tc_hook, where, .ifindex = static_cast<int>(ifindex),
                .attach_point = hook.clsact);
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 1);
    return bpf_tc_query(&where, &filter) == 0;
}

bool runs_program(uint32_t ifindex, const Hook& hook)
{
    return has_link(ifindex, hook) || has_filter(ifindex, hook);
}

} // namespace

std::vector<std::string> FaultScene::enforced() const
{
    std::vector<std::string> out;
    for (const auto& [name, ifindex] : interfaces_)
        if (runs_program(ifindex, HOOKS[0]) && runs_program(ifindex, HOOKS[1]))
            out.push_back(name);
    return out;
}

bool FaultScene::is_linked(const std::string& pod) const
{
    const uint32_t ifindex = interfaces_.at(pod);
    return std::ranges::all_of(HOOKS, [&](const Hook& hook) {
        return has_link(ifindex, hook) && !has_filter(ifindex, hook);
    });
}

std::vector<std::string> FaultScene::endpoints_of(const std::vector<std::string>& answers) const
{
    return answers == first_ ? std::vector<std::string>{"old", "web"}
                             : std::vector<std::string>{"api", "web"};
}

void FaultScene::expect_in_force(const std::vector<std::string>& wanted) const
{
    EXPECT_EQ(answers(), wanted);
    EXPECT_EQ(enforced(), endpoints_of(wanted));
}

void FaultScene::expect_adopted(const std::vector<std::string>& wanted) const
{
    EXPECT_EQ(answers(), wanted);
    EXPECT_THAT(enforced(), testing::IsSupersetOf(endpoints_of(wanted)));
}

void FaultScene::learn_answers()
{
    const auto datapath = value_of(open());
    ASSERT_TRUE(datapath->apply(second()));
    second_ = answers();
    ASSERT_TRUE(datapath->apply(first()));
    ASSERT_TRUE(datapath->settle());
    first_ = answers();
    if (datapath->attach_mode() == "tcx") {
        ASSERT_TRUE(lab::eventually([&] { return is_linked("web") && is_linked("old"); }));
    }
    ASSERT_NE(first_, second_);
}

bool FaultScene::tries_all()
{
    return std::getenv("EBPFD_FAULTS") != nullptr;
}

void FaultScene::for_each_call(uint64_t stride, const std::function<bool(uint64_t number)>& make)
{
    if (tries_all())
        stride = 1;
    uint64_t number = 1;
    while (make(number) && !testing::Test::HasFailure())
        number += stride;
    RecordProperty("calls", std::to_string(number));
    fmt::print("{} calls, every {}.\n", number - 1, stride);
    EXPECT_GT(number, stride) << "no fault was ever met";
}

bool FaultScene::crashes(const std::function<void()>& act)
{
    const pid_t child = fork();
    if (child == 0) {
        act();
        _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    return WEXITSTATUS(status) == faults::crashed;
}

std::string mode_name(const testing::TestParamInfo<AttachMode>& mode)
{
    return mode.param == AttachMode::clsact ? "filters" : "links";
}
