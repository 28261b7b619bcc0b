// SPDX-License-Identifier: Apache-2.0
#include "bench/traffic.h"

#include "packets.skel.h"

#include <bpf/bpf.h>
#include <stdexcept>

namespace bench {

void Traffic::Destroy::operator()(packets* programs) const
{
    packets__destroy(programs);
}

Traffic::Traffic(uint32_t flows) : programs_(packets__open())
{
    if (!programs_)
        throw std::runtime_error("packets.bpf.c does not open");
    programs_->rodata->flows = flows;
    if (packets__load(programs_.get()))
        throw std::runtime_error("packets.bpf.c does not load");
    judge_by(empty());
}

void Traffic::judge_by(int program) const
{
    const uint32_t first = 0;
    if (bpf_map_update_elem(bpf_map__fd(programs_->maps.judge), &first, &program, BPF_ANY))
        throw std::runtime_error("no program fits behind the shuffle");
}

int Traffic::empty() const
{
    return bpf_program__fd(programs_->progs.empty);
}

int Traffic::shuffle() const
{
    return bpf_program__fd(programs_->progs.shuffle);
}

} // namespace bench
