// SPDX-License-Identifier: Apache-2.0
#include "analysis/explain.h"

#include "analysis/atoms.h"
#include "analysis/bitmaps.h"
#include "analysis/every_pod.h"
#include "policy/judge.h"

#include <algorithm>
#include <map>
#include <set>

namespace ebpfd {
namespace {

// Stands for all protocols without ports: rules treat them alike.
constexpr auto NO_PORTS = static_cast<Protocol>(1);
constexpr Protocol PROTOCOLS[] = {Protocol::tcp, Protocol::udp, Protocol::sctp, NO_PORTS};

// Ports of one protocol that a rule set does not tell apart, and the rules that have them.
struct PortClass {
    DecidedPorts ports;
    Bitmap rules{};
};

std::vector<PortClass> port_classes(const PlanRuleset& ruleset, const Judge& judge)
{
    std::vector<PortClass> result;
    for (const Protocol protocol : PROTOCOLS) {
        std::set<uint32_t> starts{0};
        for (const PlanPort& entry : ruleset.ports) {
            if (entry.protocol != static_cast<uint8_t>(protocol))
                continue;
            starts.insert(entry.port);
            starts.insert(entry.port + (uint32_t{1} << (16 - entry.prefix)));
        }
        starts.insert(65536);
        for (auto start = starts.begin(); *start < 65536; ++start) {
            const auto first = static_cast<uint16_t>(*start);
            const auto last = static_cast<uint16_t>(*std::next(start) - 1);
            const auto named = protocol == NO_PORTS ? std::nullopt : std::optional(protocol);
            result.push_back({{named, {first, last}}, judge.with_port(protocol, first)});
        }
    }
    return result;
}

// By port class, the bit that decides.
using Decisions = std::vector<std::optional<uint32_t>>;

class PeerSurvey {
public:
    PeerSurvey(EveryPod& every, const PlanRuleset& ruleset, direction dir)
        : every_(every), ruleset_(ruleset), judge_(ruleset),
          classes_(port_classes(ruleset, judge_)), dir_(dir)
    {
    }

    // own: the pod in question, which always reaches itself.
    std::vector<Reached> run(const Pod& own)
    {
        survey_pods(own);
        survey_outside();
        std::vector<Reached> result;
        for (const auto& [place, pods] : workloads_) {
            Reached peers;
            peers.workload = place.first;
            peers.pods = pods.size();
            add(peers, place.second, result);
        }
        for (const auto& [decisions, outside] : outsides_)
            add(outside, decisions, result);
        return result;
    }

private:
    Decisions decide(const Bitmap& peers) const
    {
        Decisions result;
        for (const PortClass& one : classes_)
            result.push_back(judge_.enforce(peers & one.rules).rule);
        return result;
    }

    void survey_pods(const Pod& own)
    {
        std::map<Bitmap, Decisions> known; // few peers differ
        for (const auto& [address, identity] : every_.identities().addresses()) {
            const Pod& pod = *every_.identities().owner(address);
            if (pod.key() == own.key())
                continue;
            const Bitmap peers = judge_.with_peer(address, identity);
            const auto [place, fresh] = known.try_emplace(peers);
            if (fresh)
                place->second = decide(peers);
            workloads_[{workload_of(pod), place->second}].insert(&pod);
        }
    }

    void survey_outside()
    {
        const AtomFinder atoms(every_.world(), every_.identities());
        for (const size_t entry : atoms.outsides(ruleset_, dir_)) {
            const Bitmap block = entry == 0 ? Bitmap{} : ruleset_.cidrs[entry - 1].rules;
            Reached& outside = outsides_[decide(ruleset_.any_peer | block)];
            if (entry == 0)
                outside.elsewhere = true;
            else
                outside.blocks.push_back(ruleset_.cidrs[entry - 1].cidr);
        }
    }

    // One for each rule that decides, but isolation.
    void add(const Reached& peers, const Decisions& decisions, std::vector<Reached>& result) const
    {
        std::map<std::optional<uint32_t>, std::vector<size_t>> by_rule;
        for (size_t number = 0; number < decisions.size(); ++number)
            by_rule[rule_of(decisions[number])].push_back(number);
        for (const auto& [rule, classes] : by_rule) {
            Reached one = peers;
            const auto bit = decisions[classes.front()];
            if (bit) {
                one.rule = every_.rule(ruleset_.bits[*bit]);
                one.allows = one.rule->action != ACTION_DENY;
            }
            if (one.rule && one.rule->kind == RULE_ISOLATION)
                continue;
            one.every_port = by_rule.size() == 1;
            if (!one.every_port)
                one.ports = joined(classes);
            result.push_back(std::move(one));
        }
    }

    // A rule may have several bits: one for each number of a named port.
    std::optional<uint32_t> rule_of(std::optional<uint32_t> bit) const
    {
        return bit ? std::optional(ruleset_.bits[*bit].rule) : std::nullopt;
    }

    std::vector<DecidedPorts> joined(const std::vector<size_t>& classes) const
    {
        std::vector<DecidedPorts> result;
        for (const size_t number : classes) {
            const DecidedPorts& ports = classes_[number].ports;
            if (!result.empty() && result.back().protocol == ports.protocol &&
                uint32_t{result.back().range.last} + 1 == ports.range.first)
                result.back().range.last = ports.range.last;
            else
                result.push_back(ports);
        }
        return result;
    }

    EveryPod& every_;
    const PlanRuleset& ruleset_;
    Judge judge_;
    std::vector<PortClass> classes_;
    direction dir_;
    std::map<std::pair<Workload, Decisions>, std::set<const Pod*>> workloads_;
    std::map<Decisions, Reached> outsides_;
};

AppliedTier cluster_tier(const World& world, const Subject& subject, direction dir, tier in_tier)
{
    AppliedTier result{.in_tier = in_tier, .policies = {}};
    for (const ClusterPolicyPointer& policy : subject.cluster_policies[dir])
        if (policy->in_tier == in_tier)
            result.policies.push_back({.cluster = policy.get(),
                                       .dry_run = world.rehearses(*policy),
                                       .rules = &policy->rules(dir)});
    return result;
}

std::vector<AppliedTier> tiers_of(const World& world, const Subject& subject, direction dir)
{
    std::vector<AppliedTier> result{cluster_tier(world, subject, dir, TIER_ADMIN)};
    AppliedTier own{.in_tier = TIER_NETWORK_POLICY, .policies = {}};
    for (const NetworkPolicyPointer& policy : subject.policies[dir])
        own.policies.push_back(
            {.policy = policy.get(),
             .dry_run = world.rehearses(*policy),
             .rules = dir == DIRECTION_INGRESS ? &*policy->ingress : &*policy->egress});
    if (has_enforced(world, subject.policies[dir])) {
        own.closing = Closing::refused;
        result.push_back(std::move(own));
        return result;
    }
    result.push_back(std::move(own));
    result.push_back(cluster_tier(world, subject, dir, TIER_BASELINE));
    result.back().closing = Closing::allowed;
    return result;
}

Result<ExplainedDirection> explain_direction(EveryPod& every, const Subject& subject, direction dir)
{
    ExplainedDirection result{
        .dir = dir, .tiers = tiers_of(every.world(), subject, dir), .decided = {}};
    const auto ruleset = every.ruleset(subject, dir);
    if (!ruleset)
        return std::unexpected(ruleset.error());
    result.decided = PeerSurvey(every, *ruleset, dir).run(*subject.local->pod);
    return result;
}

} // namespace

Result<std::optional<Explained>> explain(const World& world, const std::string& pod)
{
    const auto found =
        std::ranges::find(world.pods, pod, [](const auto& one) { return one->key(); });
    if (found == world.pods.end())
        return std::nullopt;
    EveryPod every(world);
    Explained result{.pod = *found, .local = every.is_local(**found), .directions = {}};
    const auto subject = std::ranges::find(
        every.subjects(), pod, [](const Subject& one) { return one.local->pod->key(); });
    result.exempt = subject == every.subjects().end();
    if (result.exempt)
        return result;
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
        auto one = explain_direction(every, *subject, dir);
        if (!one)
            return std::unexpected(one.error());
        result.directions.push_back(std::move(*one));
    }
    return result;
}

} // namespace ebpfd
