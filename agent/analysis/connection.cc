// SPDX-License-Identifier: Apache-2.0
#include "analysis/connection.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace ebpfd {

namespace {

// What is equal at all interfaces that a connection passes untranslated.
struct Tuple {
    IpAddress source;
    IpAddress destination;
    uint16_t source_port = 0;
    uint16_t destination_port = 0;
    uint8_t protocol = 0;
    bool operator==(const Tuple&) const = default;
};

size_t mix(size_t hash, size_t value)
{
    return (hash ^ value) * 0x9e3779b97f4a7c15;
}

struct TupleHash {
    size_t operator()(const Tuple& tuple) const noexcept
    {
        const std::hash<IpAddress> hash;
        const size_t ports = size_t{tuple.source_port} << 24 | size_t{tuple.destination_port} << 8;
        return mix(mix(hash(tuple.source), hash(tuple.destination)), ports | tuple.protocol);
    }
};

Tuple tuple_of(const Sighting& sighting)
{
    const PlanQuestion& question = sighting.question;
    const bool in = question.dir == DIRECTION_INGRESS;
    return {.source = in ? question.peer : question.pod,
            .destination = in ? question.pod : question.peer,
            .source_port = sighting.source_port,
            .destination_port = question.port,
            .protocol = question.protocol};
}

// Who asks, whatever the address that was asked has become on its way.
Tuple client_of(Tuple tuple)
{
    tuple.destination = {};
    tuple.destination_port = 0;
    return tuple;
}

class Joiner {
public:
    explicit Joiner(const AddressBook& book) : book_(book) {}

    // Arrivals come before departures, which look for theirs.
    void arrival(const Sighting& sighting)
    {
        Connection& connection = at(tuple_of(sighting));
        if (connection.in.empty()) {
            connection.in.push_back(sighting.question);
            by_client_.emplace(client_of(tuple_of(sighting)), number_of(connection));
        }
        take(connection, sighting);
        passed_[number_of(connection)].in |= sighting.passed;
    }
    void departure(const Sighting& sighting)
    {
        const Tuple tuple = tuple_of(sighting);
        Connection* translated = connections_.contains(tuple) ? nullptr : find_translated(tuple);
        Connection& connection = translated != nullptr ? *translated : at(tuple);
        if (!connection.out)
            connection.out = sighting.question;
        take(connection, sighting);
        passed_[number_of(connection)].out |= sighting.passed;
    }
    std::vector<Connection> finish()
    {
        for (Connection& connection : list_) {
            const Passed& passed = passed_[number_of(connection)];
            connection.passed =
                (!connection.out || passed.out) && (connection.in.empty() || passed.in);
            if (!connection.passed)
                complete(connection);
        }
        return std::move(list_);
    }

private:
    // At which ends it was allowed when it was seen there.
    struct Passed {
        bool out = false;
        bool in = false;
    };

    size_t number_of(const Connection& connection) const
    {
        return static_cast<size_t>(&connection - list_.data());
    }

    Connection& at(const Tuple& tuple)
    {
        const auto [entry, fresh] = connections_.try_emplace(tuple, list_.size());
        if (fresh) {
            passed_.emplace_back();
            list_.push_back({.source = tuple.source,
                             .destination = tuple.destination,
                             .source_port = tuple.source_port,
                             .destination_port = tuple.destination_port,
                             .protocol = tuple.protocol,
                             .out = {},
                             .in = {}});
        }
        return list_[entry->second];
    }

    static void take(Connection& connection, const Sighting& sighting)
    {
        connection.open = connection.open || sighting.open;
        connection.begun = connection.begun && sighting.begun;
        connection.seen_ns = std::max(connection.seen_ns, sighting.seen_ns);
    }

    // The arrival at a backend of the service that was asked.
    Connection* find_translated(const Tuple& tuple)
    {
        const auto* backends =
            book_.backends(tuple.destination, tuple.protocol, tuple.destination_port);
        if (backends == nullptr)
            return nullptr;
        const auto [begin, end] = by_client_.equal_range(client_of(tuple));
        for (auto entry = begin; entry != end; ++entry) {
            Connection& arrival = list_[entry->second];
            if (std::ranges::any_of(*backends, [&](const Destination& backend) {
                    return backend.address == arrival.destination &&
                           backend.port == arrival.destination_port;
                }))
                return &arrival;
        }
        return nullptr;
    }

    void complete(Connection& connection) const
    {
        const auto from = book_.local_interface(connection.source);
        if (!connection.out && from)
            connection.out = PlanQuestion{.ifindex = *from,
                                          .dir = DIRECTION_EGRESS,
                                          .pod = connection.source,
                                          .peer = connection.destination,
                                          .protocol = connection.protocol,
                                          .port = connection.destination_port};
        if (connection.in.empty())
            connection.in = arrivals(connection);
    }

    // A service's backend on another node may let it in: then it is none of our business.
    std::vector<PlanQuestion> arrivals(const Connection& connection) const
    {
        const Destination asked{.address = connection.destination,
                                .identity = {},
                                .protocol = static_cast<Protocol>(connection.protocol),
                                .port = connection.destination_port};
        const auto* backends =
            book_.backends(asked.address, connection.protocol, connection.destination_port);
        std::vector<PlanQuestion> questions;
        for (const Destination& end : backends ? *backends : std::vector{asked}) {
            const auto to = book_.local_interface(end.address);
            if (!to)
                return {};
            questions.push_back({.ifindex = *to,
                                 .dir = DIRECTION_INGRESS,
                                 .pod = end.address,
                                 .peer = connection.source,
                                 .protocol = connection.protocol,
                                 .port = end.port});
        }
        return questions;
    }

    const AddressBook& book_;
    std::vector<Connection> list_;
    std::vector<Passed> passed_; // of each in list_
    std::unordered_map<Tuple, size_t, TupleHash> connections_;
    std::unordered_multimap<Tuple, size_t, TupleHash> by_client_;
};

} // namespace

std::vector<Connection> join(std::span<const Sighting> sightings, const AddressBook& book)
{
    Joiner joiner(book);
    for (const Sighting& sighting : sightings)
        if (sighting.question.dir == DIRECTION_INGRESS)
            joiner.arrival(sighting);
    for (const Sighting& sighting : sightings)
        if (sighting.question.dir == DIRECTION_EGRESS)
            joiner.departure(sighting);
    return joiner.finish();
}

Ruling rule_on(const Connection& connection, const PlanJudge& judge)
{
    Ruling ruling;
    if (connection.out)
        ruling.out = judge.judge(*connection.out);
    for (const PlanQuestion& question : connection.in) {
        if (ruling.in && ruling.in->allows())
            break;
        const PlanDecision decision = judge.judge(question);
        if (!ruling.in || decision.allows())
            ruling.in = decision;
    }
    return ruling;
}

} // namespace ebpfd
