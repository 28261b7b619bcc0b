// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/command.h"
#include "model/names.h"

namespace ebpfd::ctl {
namespace {

const std::vector<Column> RINGS{
    {"RING", "/ring"},           {"PRODUCED", "/produced"},
    {"DELIVERED", "/delivered"}, {"SUPPRESSED", "/suppressed"},
    {"LOST", "/lost"},
};

const std::vector<Column> TYPES{
    {"TYPE", "/type"},           {"PRODUCED", "/produced"},
    {"DELIVERED", "/delivered"}, {"SUPPRESSED", "/suppressed"},
    {"LOST", "/lost"},
};

const std::vector<Column> CPUS{
    {"CPU", "/cpu"},
    {"RING", "/ring"},
    {"PRODUCED", "/produced"},
    {"DELIVERED", "/delivered"},
    {"SUPPRESSED", "/suppressed"},
    {"LOST", "/lost"},
};

const std::vector<Column> TABLES{{"TABLE", "/table"}, {"TIMES FULL", "/full"}};

const std::vector<Column> AGENT{
    {"READ BY THE AGENT", "/read"},
    {"UNREADABLE", "/unreadable"},
    {"SWEPT", "/swept"},
    {"KEPT AS HISTORY", "/history/kept"},
    {"MADE ROOM THERE", "/history/evicted"},
};

const std::vector<Column> CLIENTS{
    {"CLIENT", "/client"},   {"SINCE", "/since"},       {"FILTER", "/filter"},
    {"OFFERED", "/offered"}, {"FILTERED", "/filtered"}, {"QUEUED", "/queued"},
    {"SENT", "/sent"},       {"LOST", "/lost"},
};

const std::vector<Column> GONE{
    {"CLIENTS GONE", "/clients"}, {"CUT OFF", "/cut_off"}, {"OFFERED", "/offered"},
    {"FILTERED", "/filtered"},    {"SENT", "/sent"},       {"LOST", "/lost"},
};

Json tally_row(const char* what, std::string_view name, const ring_ledger& tally)
{
    return {{what, name},
            {"produced", tally.produced},
            {"delivered", tally.delivered},
            {"suppressed", tally.suppressed},
            {"lost", tally.lost}};
}

Json ring_rows(const ledger& sums)
{
    return {tally_row("ring", "refusals", ring_sum(&sums, RING_REFUSALS)),
            tally_row("ring", "flows", ring_sum(&sums, RING_FLOWS))};
}

Json type_rows(const ledger& sums)
{
    Json rows = Json::array();
    for (uint32_t type = EVENT_FLOW_OPEN; type < EVENT_TYPE_COUNT; type++)
        rows.push_back(tally_row("type", event_type_name(type), sums.type[type]));
    return rows;
}

Json cpu_rows(const std::vector<ledger>& cpus)
{
    Json rows = Json::array();
    for (size_t cpu = 0; cpu < cpus.size(); cpu++)
        for (const Json& ring : ring_rows(cpus[cpu])) {
            Json& row = rows.emplace_back(Json{{"cpu", cpu}});
            row.update(ring);
        }
    return rows;
}

Result<Exit> loss(const Context& context)
{
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto sums = (*maps)->losses();
    if (!sums)
        return std::unexpected(sums.error());
    auto cpus = (*maps)->losses_by_cpu();
    if (!cpus)
        return std::unexpected(cpus.error());
    Json data = {{"rings", ring_rows(*sums)},
                 {"types", type_rows(*sums)},
                 {"tables",
                  {{{"table", "flows"}, {"full", sums->flows_full}},
                   {{"table", "pending"}, {"full", sums->flows_evicted}},
                   {{"table", "fragments"}, {"full", sums->fragments_full}},
                   {{"table", "health"}, {"full", sums->health_full}},
                   {{"table", "kernel_drops"}, {"full", sums->drops_full}}}}};
    if (context.style.format != Format::table)
        data["cpus"] = cpu_rows(*cpus);
    auto agent = context.get("/v1/loss", std::chrono::seconds(2));
    if (agent)
        data["agent"] = std::move(*agent);
    else
        context.note("the rings alone: " + agent.error().message);
    return context.print({data,
                          {{"", "/rings", RINGS, {}},
                           {"", "/types", TYPES, {}},
                           {"", "/cpus", CPUS, {}},
                           {"", "/tables", TABLES, {}},
                           {"", "/agent", AGENT, {}},
                           {"", "/agent/clients", CLIENTS, {}},
                           {"", "/agent/gone", GONE, {}}}});
}

} // namespace

Action define_stats_loss(CLI::App&)
{
    return loss;
}

} // namespace ebpfd::ctl
