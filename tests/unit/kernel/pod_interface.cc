// SPDX-License-Identifier: Apache-2.0
#include "pod_interface.h"

#include "kernel/hook.h"
#include "kernel/owned.h"
#include "lab/process.h"

#include <bpf/bpf.h>
#include <net/if.h>

using namespace ebpfd;

void OnPodInterface::SetUp()
{
    auto netns = lab::NetNamespace::create("attach");
    ASSERT_TRUE(netns) << netns.error().message;
    netns_ = std::move(*netns);
    ASSERT_TRUE(netns_->ip("link add web type veth peer name pod\n"
                           "link set web up\nlink set pod up\n"));
    inside([this] { ifindex_ = if_nametoindex("web"); });
    ASSERT_NE(ifindex_, 0u);
}

Plan OnPodInterface::plan() const
{
    Plan plan = web_plan();
    plan.endpoints.edit(0).ifindex = ifindex_;
    return plan;
}

std::unique_ptr<Datapath> OnPodInterface::start(AttachMode mode)
{
    auto options = small_options(bpffs_);
    options.attach = mode;
    return value_of(Datapath::open(options));
}

uint32_t OnPodInterface::program_id(const std::string& name) const
{
    return ebpfd::program_id(Fd(bpf_obj_get((bpffs_.path() + "/progs/" + name).c_str())));
}

std::vector<uint32_t> OnPodInterface::attached() const
{
    std::vector<uint32_t> ids;
    for (const auto& hook : HOOKS) {
        uint32_t programs[8] = {};
        LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = programs, .prog_cnt = 8);
        if (bpf_prog_query_opts(static_cast<int>(ifindex_), hook.tcx, &query) == 0)
            ids.insert(ids.end(), programs, programs + query.prog_cnt);
        LIBBPF_OPTS(bpf_tc_hook, where, .ifindex = static_cast<int>(ifindex_),
                    .attach_point = hook.clsact);
        LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 1);
        if (bpf_tc_query(&where, &filter) == 0)
            ids.push_back(filter.prog_id);
    }
    return ids;
}
