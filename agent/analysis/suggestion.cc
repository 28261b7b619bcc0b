// SPDX-License-Identifier: Apache-2.0
#include "analysis/suggestion.h"

#include "analysis/outside_blocks.h"
#include "model/names.h"

#include <algorithm>
#include <set>

namespace ebpfd {

namespace {

constexpr uint16_t DNS = 53;
constexpr size_t MOST_BLOCKS = 64; // of one rule; beyond that it is open to everyone

using Port = std::pair<uint8_t, uint16_t>; // protocol and number

// What was seen between a workload and one other end.
struct Dealings {
    std::set<Port> ports;
    bool every_port = false;
    size_t flows = 0;
    int64_t seen_ns = 0;

    void take(uint8_t protocol, uint16_t port)
    {
        if (!has_ports(protocol)) {
            every_port = true;
            return;
        }
        ports.emplace(protocol, port);
    }
    void take(const Connection& connection)
    {
        flows++;
        seen_ns = std::max(seen_ns, connection.seen_ns);
    }
    void take(const Dealings& other)
    {
        flows += other.flows;
        seen_ns = std::max(seen_ns, other.seen_ns);
    }
};

std::vector<PortSpanOf> spans_of(const std::set<Port>& ports)
{
    std::vector<PortSpanOf> out;
    for (const auto& [protocol, number] : ports) {
        if (number == 0) // which no policy can name: all of the protocol's
            out.push_back({protocol, 0, UINT16_MAX});
        else if (!out.empty() && out.back().protocol == protocol && out.back().first == 0)
            continue;
        else if (!out.empty() && out.back().protocol == protocol && out.back().last + 1 == number)
            out.back().last = number;
        else
            out.push_back({protocol, number, number});
    }
    return out;
}

// DNS goes on by TCP where an answer does not fit into UDP.
std::vector<uint8_t> protocols_of(uint8_t protocol, uint16_t port)
{
    const auto tcp = static_cast<uint8_t>(Protocol::tcp);
    const auto udp = static_cast<uint8_t>(Protocol::udp);
    if (port == DNS && (protocol == tcp || protocol == udp))
        return {tcp, udp};
    return {protocol};
}

// One workload's dealings in one direction.
struct Side {
    std::map<Workload, Dealings> pods;
    std::map<IpAddress, Dealings> addresses;
};

struct Subject {
    std::set<uint32_t> interfaces;
    std::array<Side, DIRECTION_COUNT> sides;
    size_t flows = 0;
};

class Suggesting {
public:
    Suggesting(const AddressBook& book, const SuggestionScope& scope)
        : book_(book), scope_(scope), selectors_(book.world())
    {
        for (const LocalInterface& local : book.world().interfaces) {
            if (local.pod == nullptr || local.pod->host_network || local.pod->finished)
                continue;
            const Workload workload = workload_of(*local.pod);
            if (!scope.holds(workload))
                continue;
            Subject& subject = subjects_[workload];
            subject.interfaces.insert(local.ifindex);
            by_interface_.emplace(local.ifindex, &subject);
        }
    }

    void add(const Connection& connection)
    {
        if (connection.out)
            add_departure(*connection.out, connection);
        if (!connection.in.empty())
            add_arrival(connection.in.front(), connection);
    }

    std::vector<Suggestion> finish()
    {
        std::vector<Suggestion> out;
        for (const auto& [workload, subject] : subjects_)
            if (subject.flows > 0 || scope_.isolate)
                out.push_back(suggestion_of(workload, subject));
        return out;
    }

private:
    Subject* subject_of(uint32_t ifindex)
    {
        const auto found = by_interface_.find(ifindex);
        return found == by_interface_.end() ? nullptr : found->second;
    }

    void add_arrival(const PlanQuestion& question, const Connection& connection)
    {
        Subject* subject = subject_of(question.ifindex);
        const bool node = question.believed && book_.world().node_addresses.contains(question.peer);
        if (subject == nullptr || node || question.peer == question.pod)
            return;
        Dealings& dealings = with(subject->sides[DIRECTION_INGRESS], question.peer);
        for (const uint8_t protocol : protocols_of(question.protocol, question.port))
            dealings.take(protocol, question.port);
        dealings.take(connection);
        subject->flows++;
    }

    void add_departure(const PlanQuestion& question, const Connection& connection)
    {
        Subject* subject = subject_of(question.ifindex);
        if (subject == nullptr || question.peer == question.pod)
            return;
        std::set<Dealings*> counted; // once, however many backends one end has
        for (const uint8_t protocol : protocols_of(question.protocol, question.port))
            for (const Destination& end : ends_of(question, protocol)) {
                Dealings& dealings = with(subject->sides[DIRECTION_EGRESS], end.address);
                dealings.take(static_cast<uint8_t>(end.protocol), end.port);
                if (counted.insert(&dealings).second)
                    dealings.take(connection);
            }
        subject->flows++;
    }

    // The service's backends, where a service was asked.
    std::vector<Destination> ends_of(const PlanQuestion& question, uint8_t protocol) const
    {
        if (const auto* backends = book_.backends(question.peer, protocol, question.port))
            return *backends;
        const bool service_without =
            book_.backends(question.peer, question.protocol, question.port) != nullptr;
        if (service_without) // by the other protocol it has nobody
            return {};
        return {{question.peer, std::nullopt, static_cast<Protocol>(protocol), question.port}};
    }

    Dealings& with(Side& side, const IpAddress& address)
    {
        if (const Pod* pod = book_.pod(address))
            return side.pods[workload_of(*pod)];
        return side.addresses[address];
    }

    Suggestion suggestion_of(const Workload& workload, const Subject& subject)
    {
        Suggestion out{.workload = workload,
                       .name = {},
                       .selector = selectors_.of(workload),
                       .local_pods = subject.interfaces.size(),
                       .flows = subject.flows};
        out.name = policy_name(workload);
        for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
            auto rules = rules_of(subject.sides[dir]);
            if (!rules.empty() || scope_.isolate)
                out.rules[dir] = std::move(rules);
        }
        return out;
    }

    static SuggestedRule rule_of(const Dealings& dealings)
    {
        SuggestedRule rule;
        rule.every_port = dealings.every_port;
        if (!dealings.every_port)
            rule.ports = spans_of(dealings.ports);
        rule.flows = dealings.flows;
        rule.seen_ns = dealings.seen_ns;
        return rule;
    }

    std::vector<SuggestedRule> rules_of(const Side& side)
    {
        std::vector<SuggestedRule> rules;
        for (const auto& [workload, dealings] : side.pods) {
            rules.push_back(rule_of(dealings));
            rules.back().pods = workload;
            rules.back().selector = selectors_.of(workload);
        }
        add_outside(side, rules);
        return rules;
    }

    // Addresses of no pod: those by the same ports become one rule.
    void add_outside(const Side& side, std::vector<SuggestedRule>& rules) const
    {
        OutsideBlocks outside(book_);
        for (const auto& [address, dealings] : side.addresses)
            outside.add(address);
        std::map<Cidr, Dealings> blocks;
        for (const auto& [address, dealings] : side.addresses) {
            Dealings& block = blocks[outside.block_of(address)];
            block.ports.insert(dealings.ports.begin(), dealings.ports.end());
            block.every_port = block.every_port || dealings.every_port;
            block.take(dealings);
        }
        std::map<std::pair<bool, std::set<Port>>, SuggestedRule> by_ports;
        for (const auto& [block, dealings] : blocks) {
            const auto ports = dealings.every_port ? std::set<Port>{} : dealings.ports;
            const auto [entry, fresh] =
                by_ports.try_emplace({dealings.every_port, ports}, SuggestedRule{});
            SuggestedRule& rule = entry->second;
            const SuggestedRule own = rule_of(dealings);
            rule.every_port = own.every_port;
            rule.ports = own.ports;
            rule.flows += own.flows;
            rule.seen_ns = std::max(rule.seen_ns, own.seen_ns);
            rule.blocks.push_back(block);
        }
        for (auto& [ports, rule] : by_ports) {
            finish_blocks(rule);
            rules.push_back(std::move(rule));
        }
    }

    void finish_blocks(SuggestedRule& rule) const
    {
        for (const Cidr& block : rule.blocks)
            if (const Workload known = book_.workload(block.address);
                block.prefix == 128 && !known.kind.empty())
                rule.names.push_back(known.kind + " " + known.text());
        rule.anywhere = rule.blocks.size() > MOST_BLOCKS;
        if (!rule.anywhere)
            return;
        std::set<Cidr> families;
        for (const Cidr& block : rule.blocks)
            families.insert(*Cidr::parse(block.is_v4() ? "0.0.0.0/0" : "::/0"));
        rule.blocks.assign(families.begin(), families.end());
        rule.names.clear();
    }

    // Names of policies are DNS names; several kinds may have a workload of one name.
    std::string policy_name(const Workload& workload)
    {
        std::string name;
        for (const char c : workload.name) {
            const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
            const bool upper = c >= 'A' && c <= 'Z';
            if (plain || upper)
                name += upper ? static_cast<char>(c - 'A' + 'a') : c;
            else if (!name.empty() && name.back() != '-')
                name += '-';
        }
        constexpr size_t LONGEST = 200;
        name.resize(std::min(name.size(), LONGEST));
        const auto same = std::ranges::count_if(subjects_, [&](const auto& entry) {
            return entry.first.in_namespace == workload.in_namespace &&
                   entry.first.name == workload.name;
        });
        if (same > 1)
            for (const char c : "-" + workload.kind)
                name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        while (!name.empty() && name.back() == '-')
            name.pop_back();
        name += name.empty() ? "observed" : "-observed";
        std::string unique = name;
        for (int number = 2; !names_.emplace(workload.in_namespace, unique).second; ++number)
            unique = name + "-" + std::to_string(number);
        return unique;
    }

    const AddressBook& book_;
    const SuggestionScope& scope_;
    WorkloadSelectors selectors_;
    std::map<Workload, Subject> subjects_;
    std::map<uint32_t, Subject*> by_interface_;
    std::set<std::pair<std::string, std::string>> names_; // taken, by namespace
};

} // namespace

std::vector<Suggestion> suggest(std::span<const Connection> connections, const AddressBook& book,
                                const SuggestionScope& scope)
{
    Suggesting suggesting(book, scope);
    for (const Connection& connection : connections)
        suggesting.add(connection);
    return suggesting.finish();
}

} // namespace ebpfd
