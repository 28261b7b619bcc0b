// SPDX-License-Identifier: Apache-2.0
#include "analysis/impact.h"

#include "analysis/outside_blocks.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

namespace ebpfd {

namespace {

// One connection whose verdict changes.
struct Change {
    const Connection* connection = nullptr;
    direction dir = DIRECTION_INGRESS;
    PlanDecision before;
    PlanDecision after;
    bool cut() const { return !after.allows(); }
};

Decided keep(const PlanDecision& decision)
{
    Decided kept{.why = decision.why, .rule = {}};
    if (decision.rule != nullptr)
        kept.rule = *decision.rule;
    return kept;
}

class Comparison {
public:
    Comparison(const Plan& before, const Plan& after, const AddressBook& book)
        : before_(before), after_(after), book_(book), outside_(book)
    {
    }

    Impact run(std::span<const Connection> connections)
    {
        for (const Connection& connection : connections)
            compare(connection);
        for (const Change& change : changes_)
            for (const IpAddress* end :
                 {&change.connection->source, &change.connection->destination})
                if (is_outside(book_.workload(*end)))
                    outside_.add(*end);
        for (const Change& change : changes_)
            add(change);
        std::ranges::stable_sort(impact_.groups, {}, [](const ImpactGroup& group) {
            return std::tuple(!group.cut, ~group.open, ~group.flows, group.source,
                              group.destination, group.protocol, group.port);
        });
        return std::move(impact_);
    }

private:
    using Key = std::tuple<bool, Workload, Workload, uint8_t, uint16_t, direction, std::string,
                           std::string, reason, reason>;

    static bool is_outside(const Workload& workload)
    {
        return workload.kind.empty() && workload.in_namespace.empty();
    }

    void compare(const Connection& connection)
    {
        const Ruling before = rule_on(connection, before_);
        const Ruling after = rule_on(connection, after_);
        impact_.judged++;
        impact_.open += connection.open;
        if (before.allows() == after.allows()) {
            impact_.unchanged++;
            return;
        }
        const direction dir = (after.allows() ? before : after).denied_at();
        changes_.push_back({&connection, dir, before.at(dir).value_or(PlanDecision{}),
                            after.at(dir).value_or(PlanDecision{})});
        impact_.cut += before.allows();
        impact_.cut_open += before.allows() && connection.open;
        impact_.newly_allowed += after.allows();
    }

    Workload workload(const IpAddress& address) const
    {
        Workload found = book_.workload(address);
        if (!is_outside(found))
            return found;
        if (const Cidr block = outside_.block_of(address); block.prefix < 128)
            found.name = block.text();
        return found;
    }

    void add(const Change& change)
    {
        const Connection& connection = *change.connection;
        const auto key_of = [](const PlanRule* rule) { return rule ? rule->key : std::string(); };
        const Workload source = workload(connection.source);
        const Workload destination = workload(connection.destination);
        const Key key(change.cut(), source, destination, connection.protocol,
                      connection.destination_port, change.dir, key_of(change.before.rule),
                      key_of(change.after.rule), change.before.why, change.after.why);
        const auto [entry, fresh] = groups_.try_emplace(key, impact_.groups.size());
        if (fresh)
            impact_.groups.push_back({.cut = change.cut(),
                                      .source = source,
                                      .destination = destination,
                                      .protocol = connection.protocol,
                                      .port = connection.destination_port,
                                      .dir = change.dir,
                                      .before = keep(change.before),
                                      .after = keep(change.after),
                                      .example = connection});
        ImpactGroup& group = impact_.groups[entry->second];
        group.flows++;
        group.open += connection.open;
        if (connection.seen_ns > group.example.seen_ns)
            group.example = connection;
    }

    const PlanJudge before_;
    const PlanJudge after_;
    const AddressBook& book_;
    OutsideBlocks outside_;
    std::vector<Change> changes_;
    std::map<Key, size_t> groups_;
    Impact impact_;
};

} // namespace

Impact compare_rulings(const Plan& before, const Plan& after,
                       std::span<const Connection> connections, const AddressBook& book)
{
    return Comparison(before, after, book).run(connections);
}

} // namespace ebpfd
