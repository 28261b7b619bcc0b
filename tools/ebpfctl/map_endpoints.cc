// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/local_endpoint.h"
#include "ebpfctl/map_rows.h"
#include "model/names.h"

#include <algorithm>
#include <arpa/inet.h>

namespace ebpfd::ctl {
namespace {

Json both_slots(const endpoint& entry, direction dir)
{
    return Json::array(
        {ruleset_text(entry.slot[0].ruleset[dir]), ruleset_text(entry.slot[1].ruleset[dir])});
}

Json numbers(const identity_slots& slots)
{
    return Json::array({slots.number[0], slots.number[1]});
}

std::string address_text(const __u8 (&bytes)[16])
{
    IpAddress address;
    std::ranges::copy(bytes, address.bytes.begin());
    return address.text();
}

Result<Json> endpoint_rows(const PinnedMaps& maps)
{
    auto endpoints = maps.endpoints();
    if (!endpoints)
        return std::unexpected(endpoints.error());
    Json rows = Json::array();
    for (const auto& [ifindex, entry] : *endpoints)
        rows.push_back(Json{{"ifindex", ifindex},
                            {"index", entry.index},
                            {"ingress", both_slots(entry, DIRECTION_INGRESS)},
                            {"egress", both_slots(entry, DIRECTION_EGRESS)}});
    return rows;
}

Result<Json> name_rows(const PinnedMaps& maps)
{
    auto names = maps.endpoint_names();
    if (!names)
        return std::unexpected(names.error());
    Json rows = Json::array();
    for (const auto& [ifindex, name] : *names) {
        Json addresses = Json::array();
        for (const auto& bytes : name.address)
            if (std::ranges::any_of(bytes, [](__u8 byte) { return byte != 0; }))
                addresses.push_back(address_text(bytes));
        rows.push_back(Json{{"ifindex", ifindex},
                            {"index", name.index},
                            {"namespace", text_of(name.pod_namespace)},
                            {"pod", text_of(name.pod)},
                            {"interface", text_of(name.interface)},
                            {"addresses", addresses}});
    }
    return rows;
}

Result<Json> address_rows(const PinnedMaps& maps)
{
    auto addresses = maps.addresses();
    if (!addresses)
        return std::unexpected(addresses.error());
    Json rows = Json::array();
    for (const auto& [address, slots] : *addresses)
        rows.push_back(Json{{"address", address.text()}, {"identities", numbers(slots)}});
    return rows;
}

Result<Json> service_rows(const PinnedMaps& maps)
{
    auto services = maps.services();
    if (!services)
        return std::unexpected(services.error());
    Json rows = Json::array();
    for (const auto& [key, slots] : *services)
        rows.push_back(Json{{"address", address_text(key.address)},
                            {"port", ntohs(key.port)},
                            {"protocol", protocol_name(key.protocol)},
                            {"identities", numbers(slots)}});
    return rows;
}

Result<Json> state_rows(const PinnedMaps& maps)
{
    auto state = maps.state();
    if (!state)
        return std::unexpected(state.error());
    return Json::array({Json{{"generation", state->generation},
                             {"slot_in_force", state->generation & 1},
                             {"audit", state->audit != 0},
                             {"layout", state->layout},
                             {"next_ruleset", state->next_ruleset},
                             {"next_identity", state->next_identity}}});
}

const std::vector<MapView> VIEWS{
    {"endpoint_map",
     {{"IFINDEX", "/ifindex"},
      {"INDEX", "/index"},
      {"INGRESS SLOTS", "/ingress"},
      {"EGRESS SLOTS", "/egress"}},
     endpoint_rows},
    {"podname_map",
     {{"IFINDEX", "/ifindex"},
      {"INDEX", "/index"},
      {"POD", "", false, pod_text},
      {"INTERFACE", "/interface"},
      {"ADDRESSES", "/addresses"}},
     name_rows},
    {"address_map", {{"ADDRESS", "/address"}, {"IDENTITY SLOTS", "/identities"}}, address_rows},
    {"service_map",
     {{"ADDRESS", "/address"},
      {"PORT", "/port"},
      {"PROTOCOL", "/protocol"},
      {"IDENTITY SLOTS", "/identities"}},
     service_rows},
    {"state",
     {{"GENERATION", "/generation"},
      {"SLOT IN FORCE", "/slot_in_force"},
      {"AUDIT", "/audit"},
      {"LAYOUT", "/layout"},
      {"NEXT RULE SET", "/next_ruleset"},
      {"NEXT IDENTITY", "/next_identity"}},
     state_rows},
};

} // namespace

std::span<const MapView> endpoint_views()
{
    return VIEWS;
}

} // namespace ebpfd::ctl
