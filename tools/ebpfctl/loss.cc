// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/command.h"

namespace ebpfd::ctl {
namespace {

const std::vector<Column> RINGS{
    {"RING", "/ring"},           {"PRODUCED", "/produced"},
    {"DELIVERED", "/delivered"}, {"SUPPRESSED", "/suppressed"},
    {"LOST", "/lost"},
};

const std::vector<Column> TABLES{{"TABLE", "/table"}, {"TIMES FULL", "/full"}};

Json ring_row(const char* name, const ring_ledger& ring)
{
    return {{"ring", name},
            {"produced", ring.produced},
            {"delivered", ring.delivered},
            {"suppressed", ring.suppressed},
            {"lost", ring.lost}};
}

Result<Exit> loss(const Context& context)
{
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto sums = (*maps)->losses();
    if (!sums)
        return std::unexpected(sums.error());
    Json data = {{"rings",
                  {ring_row("refusals", sums->ring[RING_REFUSALS]),
                   ring_row("flows", sums->ring[RING_FLOWS])}},
                 {"tables",
                  {{{"table", "flows"}, {"full", sums->flows_full}},
                   {{"table", "pending"}, {"full", sums->pending_full}},
                   {{"table", "fragments"}, {"full", sums->fragments_full}},
                   {{"table", "health"}, {"full", sums->health_full}},
                   {{"table", "kernel_drops"}, {"full", sums->drops_full}}}}};
    return context.print({data, {{"", "/rings", RINGS, {}}, {"", "/tables", TABLES, {}}}});
}

} // namespace

Action define_stats_loss(CLI::App&)
{
    return loss;
}

} // namespace ebpfd::ctl
