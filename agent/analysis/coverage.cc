// SPDX-License-Identifier: Apache-2.0
#include "analysis/coverage.h"

#include "analysis/bitmaps.h"
#include "analysis/covered_rules.h"
#include "analysis/deciders.h"
#include "analysis/every_pod.h"

#include <algorithm>
#include <optional>

namespace ebpfd {
namespace {

constexpr size_t SHADOWS_MAX = 16;

// A rule set and what its bits stand for in the list of rules.
struct Judged {
    PlanRuleset ruleset;
    std::vector<size_t> rule; // by bit
    bool local = false;
};

class Coverer {
public:
    explicit Coverer(const World& world)
        : every_(world), groups_(every_.groups()), rules_(world, groups_),
          atoms_(every_.world(), every_.identities()), known_(rules_.list().size())
    {
    }

    Coverage run()
    {
        for (const PodGroup& group : groups_)
            judge(group);
        shade_unreached();
        for (size_t number = 0; number < known_.size(); ++number)
            settle(rules_.list()[number], number);
        Coverage result{.rules = std::move(rules_.list()),
                        .contradictions = std::move(contradictions_),
                        .warnings = std::move(warnings_)};
        return result;
    }

private:
    struct Known {
        bool has_bits = false;
        bool matches = false;
        bool decides = false;
        bool decides_here = false;
    };

    void judge(const PodGroup& group)
    {
        auto ruleset = every_.ruleset(*group.subject, group.dir);
        if (!ruleset) {
            warnings_.push_back(ruleset.error().message);
            trust(group);
            return;
        }
        Judged judged{std::move(*ruleset), {}, group.local_pods > 0};
        for (const PlanBit& bit : judged.ruleset.bits)
            judged.rule.push_back(rules_.find(every_.rule(bit)));
        note_bits(judged);
        const auto runs = equal_priorities(judged);
        if (!is_open(judged) && runs.empty())
            return;
        const Deciders deciders(judged.ruleset, atoms_.find(judged.ruleset, group.dir));
        note_deciders(judged, deciders);
        for (const auto& run : runs)
            note_contradictions(judged, deciders.contradictions(run));
    }

    // Nothing is known of these rules: none of them is called dead.
    void trust(const PodGroup& group)
    {
        for (const size_t rule : rules_.of(*group.subject, group.dir))
            known_[rule] = {.has_bits = true, .matches = true, .decides = true};
    }

    // Whether there is still something to learn from the rule set.
    bool is_open(const Judged& judged) const
    {
        return std::ranges::any_of(judged.rule, [&](size_t rule) {
            return rule != CoveredRules::NONE &&
                   !(judged.local ? known_[rule].decides_here : known_[rule].decides);
        });
    }

    void note_bits(const Judged& judged)
    {
        for (const size_t rule : judged.rule)
            if (rule != CoveredRules::NONE)
                known_[rule].has_bits = true;
    }

    void note_deciders(const Judged& judged, const Deciders& deciders)
    {
        const Bitmap matching = deciders.matching();
        for_each_bit(deciders.deciding() | matching, [&](uint32_t bit) {
            if (judged.rule[bit] == CoveredRules::NONE)
                return;
            Known& known = known_[judged.rule[bit]];
            const bool decides = has_bit(deciders.deciding(), bit);
            known.matches = true;
            known.decides |= decides;
            known.decides_here |= decides && judged.local;
            if (!known.decides)
                note_shadows(judged, deciders, bit);
        });
    }

    void note_shadows(const Judged& judged, const Deciders& deciders, uint32_t bit)
    {
        auto& shadowed_by = rules_.list()[judged.rule[bit]].shadowed_by;
        if (shadowed_by.size() >= SHADOWS_MAX)
            return;
        for_each_bit(deciders.instead_of(bit), [&](uint32_t other) {
            if (judged.rule[other] != CoveredRules::NONE)
                shadowed_by.insert(judged.rule[other]);
        });
    }

    // The bits of policies with one tier and priority, where several have that.
    std::vector<std::vector<Bitmap>> equal_priorities(const Judged& judged) const
    {
        std::vector<std::vector<Bitmap>> result;
        const CoveredRule* last = nullptr;
        for (uint32_t bit = 0; bit < judged.rule.size(); ++bit) {
            if (judged.rule[bit] == CoveredRules::NONE)
                continue;
            const CoveredRule& rule = rules_.list()[judged.rule[bit]];
            if (rule.kind != RULE_CLUSTER_POLICY)
                continue;
            const bool same =
                last != nullptr && last->in_tier == rule.in_tier && last->priority == rule.priority;
            if (!same)
                result.emplace_back();
            if (!same || last->policy_text() != rule.policy_text())
                result.back().emplace_back();
            set_bit(result.back().back(), bit);
            last = &rule;
        }
        std::erase_if(result, [](const auto& run) { return run.size() < 2; });
        return result;
    }

    void note_contradictions(const Judged& judged,
                             const std::set<std::pair<uint32_t, uint32_t>>& pairs)
    {
        for (const auto& [first, second] : pairs) {
            const size_t one = judged.rule[first], other = judged.rule[second];
            const auto& rules = rules_.list();
            if (contradicting_.emplace(rules[one].policy_text(), rules[other].policy_text()).second)
                contradictions_.push_back({one, other});
        }
    }

    // Rules of the Baseline tier all whose pods are isolated by NetworkPolicies: those decide.
    void shade_unreached()
    {
        for (size_t number = 0; number < known_.size(); ++number) {
            CoveredRule& rule = rules_.list()[number];
            const ClusterPolicy* policy = rules_.cluster_policy(number);
            if (rule.in_tier != TIER_BASELINE || rule.pods > 0)
                continue;
            for (const Subject& subject : every_.subjects())
                if (selects(*policy, *subject.local->pod))
                    shade(number, subject);
        }
    }

    bool selects(const ClusterPolicy& policy, const Pod& pod)
    {
        const Labels* in = every_.identities().labels_of_namespace(pod.pod_namespace);
        return in != nullptr && policy.pods.matches(pod.labels) && policy.namespaces.matches(*in);
    }

    void shade(size_t number, const Subject& subject)
    {
        CoveredRule& rule = rules_.list()[number];
        ++rule.pods;
        rule.local_pods += every_.is_local(*subject.local->pod);
        known_[number].has_bits = known_[number].matches = true;
        for (const size_t isolation : rules_.isolations(subject, rule.dir))
            if (rule.shadowed_by.size() < SHADOWS_MAX)
                rule.shadowed_by.insert(isolation);
    }

    void settle(CoveredRule& rule, size_t number)
    {
        rule.fate = fate(rule, number);
        if (rule.fate != Fate::shadowed)
            rule.shadowed_by.clear();
    }

    Fate fate(const CoveredRule& rule, size_t number)
    {
        const Known& known = known_[number];
        if (known.decides)
            return known.decides_here ? Fate::decides : Fate::not_on_this_node;
        if (rule.pods == 0)
            return Fate::selects_no_pod;
        if (rule.kind == RULE_ISOLATION && !known.has_bits)
            return Fate::not_on_this_node;
        if (!known.has_bits)
            return has_peer(number) ? Fate::unresolved_port : Fate::no_peer;
        if (!known.matches)
            return rules_.rule(number)->nobody ? Fate::not_enforced : Fate::no_peer;
        return Fate::shadowed;
    }

    // Whether anything at all is among the rule's peers, whatever its ports.
    bool has_peer(size_t number)
    {
        const PolicyRule& rule = *rules_.rule(number);
        const auto exists = [&](const PolicyPeer& peer) {
            bool any = peer.block.has_value() || peer.nodes.has_value();
            if (!any)
                every_.identities()
                    .select(peer, rules_.list()[number].policy_namespace)
                    .for_each([&](uint32_t) { any = true; });
            return any;
        };
        return rule.peers.empty() || std::ranges::any_of(rule.peers, exists);
    }

    EveryPod every_;
    std::vector<PodGroup> groups_;
    CoveredRules rules_;
    AtomFinder atoms_;
    std::vector<Known> known_; // by rule
    std::set<std::pair<std::string, std::string>> contradicting_;
    std::vector<Contradiction> contradictions_;
    std::vector<std::string> warnings_;
};

} // namespace

std::string_view fate_name(Fate fate)
{
    switch (fate) {
    case Fate::decides:
        return "decides";
    case Fate::not_on_this_node:
        return "not_on_this_node";
    case Fate::selects_no_pod:
        return "selects_no_pod";
    case Fate::unresolved_port:
        return "unresolved_port";
    case Fate::no_peer:
        return "no_peer";
    case Fate::not_enforced:
        return "not_enforced";
    case Fate::shadowed:
        return "shadowed";
    }
    return "unknown";
}

Coverage cover(const World& world)
{
    return Coverer(world).run();
}

} // namespace ebpfd
