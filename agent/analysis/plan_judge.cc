// SPDX-License-Identifier: Apache-2.0
#include "analysis/plan_judge.h"

#include <algorithm>
#include <span>
#include <tuple>

namespace ebpfd {

namespace {

// What a stack sends before, and beside, its real addresses: link-local, or none.
bool is_link_scope(const IpAddress& address)
{
    const auto& bytes = address.bytes;
    if (address.is_v4())
        return (bytes[12] == 169 && bytes[13] == 254) ||
               std::all_of(bytes.begin() + 12, bytes.end(), [](uint8_t byte) { return byte == 0; });
    return (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) || address == IpAddress{};
}

// The datapath knows no more addresses of a pod than this.
std::span<const IpAddress> known_addresses(const PlanEndpoint& endpoint)
{
    return std::span(endpoint.addresses)
        .first(std::min<size_t>(endpoint.addresses.size(), ENDPOINT_ADDRESSES));
}

auto order(const PlanService& service)
{
    return std::tuple(service.address, service.protocol, service.port);
}

} // namespace

PlanJudge::PlanJudge(const Plan& plan) : plan_(plan)
{
    judges_.reserve(plan.rulesets.size());
    for (const PlanRuleset& ruleset : plan.rulesets)
        judges_.emplace_back(ruleset);
}

const PlanEndpoint* PlanJudge::endpoint(uint32_t ifindex) const
{
    const auto found =
        std::ranges::lower_bound(plan_.endpoints, ifindex, {}, &PlanEndpoint::ifindex);
    return found == plan_.endpoints.end() || found->ifindex != ifindex ? nullptr : &*found;
}

const PlanAddress* PlanJudge::address(const IpAddress& wanted) const
{
    const auto found = std::ranges::lower_bound(plan_.addresses, wanted, {}, &PlanAddress::address);
    return found == plan_.addresses.end() || found->address != wanted ? nullptr : &*found;
}

const PlanService* PlanJudge::service(const PlanQuestion& question) const
{
    const std::tuple wanted(question.peer, question.protocol, question.port);
    const auto found = std::ranges::lower_bound(plan_.services, wanted, {}, order);
    return found == plan_.services.end() || order(*found) != wanted ? nullptr : &*found;
}

bool PlanJudge::is_spoofed(const PlanEndpoint& endpoint, const IpAddress& source) const
{
    const auto own = known_addresses(endpoint);
    if (own.empty() || std::ranges::find(own, source) != own.end())
        return false;
    const bool known = std::ranges::any_of(
        own, [&](const IpAddress& one) { return one.is_v4() == source.is_v4(); });
    return (known && !is_link_scope(source)) || address(source) != nullptr;
}

PlanDecision PlanJudge::ended(uint32_t ruleset, const Walk& walk) const
{
    if (!walk.rule)
        return {};
    const PlanBit& decider = plan_.rulesets[ruleset].bits[*walk.rule];
    return {.why = decider.action == ACTION_ALLOW ? REASON_RULE : REASON_DENIED,
            .rule = &plan_.rules[decider.rule]};
}

PlanDecision PlanJudge::decide(uint32_t ruleset, const Bitmap& enforced, const Bitmap& all) const
{
    PlanDecision decision = ended(ruleset, judges_[ruleset].enforce(enforced));
    const Walk walk = judges_[ruleset].rehearse(all);
    const PlanDecision rehearsed = ended(ruleset, walk);
    if (walk.watcher && rehearsed.allows() != decision.allows()) {
        decision.watcher = &plan_.rules[plan_.rulesets[ruleset].bits[*walk.watcher].rule];
        decision.rehearsed = rehearsed.why;
    }
    return decision;
}

PlanDecision PlanJudge::by_rules(uint32_t ruleset, const PlanQuestion& question) const
{
    const PlanAddress* peer = address(question.peer);
    const uint32_t identity = peer == nullptr ? PLAN_IDENTITY_NODE : peer->identity;
    if (peer != nullptr && identity == PLAN_IDENTITY_NODE && question.dir == DIRECTION_INGRESS &&
        question.believed)
        return {.why = REASON_NODE};
    if (identity == PLAN_IDENTITY_SERVICE && question.dir == DIRECTION_EGRESS) {
        if (const PlanService* front = service(question)) {
            // Its row is the final set: the backends' ports are in it already.
            static constexpr Bitmap none{};
            const Bitmap* enforced = judges_[ruleset].peer_row(front->identity);
            const Bitmap* all = judges_[ruleset].rehearsed_row(front->identity);
            return decide(ruleset, enforced ? *enforced : none, all ? *all : none);
        }
    }
    Destination destination{.address = question.peer,
                            .identity = {},
                            .protocol = static_cast<Protocol>(question.protocol),
                            .port = question.port};
    if (identity < PLAN_IDENTITY_SERVICE)
        destination.identity = identity;
    const Bitmap matching = judges_[ruleset].matching(destination);
    return decide(ruleset, matching, matching);
}

PlanDecision PlanJudge::judge(const PlanQuestion& question) const
{
    const PlanEndpoint* local = endpoint(question.ifindex);
    if (local == nullptr)
        return {.why = REASON_UNKNOWN_POD};
    if (question.dir == DIRECTION_EGRESS && is_spoofed(*local, question.pod))
        return {.why = REASON_SPOOFED};
    const uint32_t ruleset = local->ruleset[question.dir];
    if (ruleset == PLAN_RULESET_NONE)
        return {};
    if (ruleset == PLAN_RULESET_CLOSED)
        return {.why = REASON_UNKNOWN_POD};
    if (question.believed && question.pod == question.peer)
        return {.why = REASON_SELF};
    return by_rules(ruleset, question);
}

} // namespace ebpfd
