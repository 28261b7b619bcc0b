// SPDX-License-Identifier: Apache-2.0
#include "loss_report.h"

#include "base/rfc3339.h"
#include "model/names.h"

#include <nlohmann/json.hpp>

namespace ebpfd {
namespace {

using Json = nlohmann::ordered_json;

Json tally_fields(const ReaderTally& tally)
{
    return {{"offered", tally.offered},
            {"filtered", tally.filtered},
            {"queued", tally.queued},
            {"sent", tally.sent},
            {"lost", tally.lost}};
}

Json clients(const Observer::Counts& counts)
{
    Json out = Json::array();
    for (const ReaderFacts& reader : counts.present) {
        Json& one = out.emplace_back(Json{
            {"client", reader.id}, {"since", rfc3339(reader.since_ns)}, {"filter", reader.filter}});
        one.update(tally_fields(reader.tally));
    }
    return out;
}

Json types(const Observer::Counts& counts)
{
    Json out = Json::object();
    for (uint32_t type = 0; type < counts.by_type.size(); type++)
        if (type != 0 || counts.by_type[0] != 0)
            out[std::string(event_type_name(type))] = counts.by_type[type];
    return out;
}

} // namespace

std::string loss_json(const Observer::Counts& counts)
{
    Json gone{{"clients", counts.gone}, {"cut_off", counts.cut_off}};
    gone.update(tally_fields(counts.gone_tally));
    const Json out{{"read", counts.consumed},
                   {"read_by_type", types(counts)},
                   {"unreadable", counts.unreadable},
                   {"swept", counts.swept},
                   {"history", {{"kept", counts.kept}, {"evicted", counts.evicted}}},
                   {"clients", clients(counts)},
                   {"gone", std::move(gone)}};
    return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace ebpfd
