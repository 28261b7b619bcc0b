// SPDX-License-Identifier: Apache-2.0
#include "bench/crowd.h"
#include "bench/groups.h"
#include "bench/rivals.h"
#include "lab/socket.h"
#include "lab/socket_address.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>

// What traffic between two pods of a node costs, with ebpfd and with what else would judge it. Each
// way has a node of its own, all alike, so that rounds can go from one to the next.
namespace bench {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;
using namespace nlohmann::literals;
using lab::Socket;
using lab::Transport;

constexpr auto span = 100ms; // of one measurement
constexpr int burst = 50;    // fits into a socket's buffer
constexpr int bursts_of_flows = 20;
constexpr int burst_of_connections = 10; // short: most are over before others take the core
constexpr int bursts_of_connections = 50;
constexpr const char* bytes_to_send = "256M"; // by iperf3

double ns_since(steady_clock::time_point start)
{
    return duration<double, std::nano>(steady_clock::now() - start).count();
}

[[noreturn]] void fail(const std::string& what)
{
    throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

void set_blocking(const Socket& socket)
{
    if (fcntl(socket.fd(), F_SETFL, 0) != 0)
        fail("fcntl");
}

// Both threads of a conversation on one core: else its cost is that of waking another core up.
void pin_to_first_core()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        fail("pin");
}

// What has arrived; a datagram between pods is there when send() returns, but for a busy machine.
int drain(const Socket& socket, int expected)
{
    std::array<char, 64> text{};
    int received = 0;
    const auto deadline = steady_clock::now() + 1s;
    while (received < expected && steady_clock::now() < deadline) {
        if (recv(socket.fd(), text.data(), text.size(), 0) > 0)
            received++;
    }
    return received;
}

// So many entries, the last two the client's: a list that is searched is searched to its end.
std::vector<Allowed> allow(const std::string& client, lab::Family family, int count)
{
    std::vector<Allowed> all;
    for (int i = 0; i < count - 2; i++)
        all.push_back({family == lab::Family::v4
                           ? fmt::format("100.64.{}.{}", i >> 8 & 255, i & 255)
                           : fmt::format("fd64::{:x}", i),
                       "tcp", static_cast<uint16_t>(10000 + i % 400)});
    all.push_back({client, "tcp", open_port});
    all.push_back({client, "udp", open_port});
    return all;
}

std::unique_ptr<lab::Node> make_node()
{
    auto node = must(lab::Node::make(lab::Wiring::routed));
    must(node->add_pod("client", 10));
    must(node->add_pod("server", 20));
    return node;
}

// A node with two pods and one way to judge what they say.
class Lane {
public:
    Lane(const Rival& rival, lab::Family family, int rules)
        : rival_(rival), family_(family), rules_(rules), node_(make_node()),
          enforcement_(rival.enforce(*node_, allow(client().at(family), family, rules)))
    {
    }
    const char* name() const { return rival_.name; }
    int rules() const { return rules_; }
    lab::Family family() const { return family_; }

    double throughput() const;                     // bit/s over TCP
    double datagram() const;                       // ns to send and to receive one
    std::pair<double, double> ping_pong() const;   // ns an exchange: p50, p99
    std::pair<double, double> connections() const; // a second; ns a connect(), p50
    double new_flow(); // ns to open a socket, send one datagram and close it
    double refused_packet(uint16_t port) const; // ns of its sender

private:
    const lab::Machine& client() const { return node_->pod("client"); }
    const lab::Machine& server() const { return node_->pod("server"); }
    const std::string& address() const { return server().at(family_); }
    void expect_open(int received) const
    {
        if (received != burst)
            throw std::runtime_error(
                fmt::format("{}: {} of {} datagrams arrived", name(), received, burst));
    }

    const Rival& rival_;
    lab::Family family_;
    int rules_;
    std::unique_ptr<lab::Node> node_;
    std::shared_ptr<void> enforcement_;
    uint16_t next_source_port_ = 10000;
};

// Of iperf3's report; it exits with 0 too where it could not connect.
std::optional<double> received_bits(const std::string& report)
{
    const auto json = nlohmann::json::parse(report, nullptr, false);
    const auto place = "/end/sum_received/bits_per_second"_json_pointer;
    if (json.is_discarded() || !json.contains(place))
        return {};
    return json[place].get<double>();
}

double Lane::throughput() const
{
    auto listener = lab::Process::start({"iperf3", "-s", "-1", "-p", std::to_string(open_port)},
                                        server().netns.path());
    lab::Finished finished;
    std::optional<double> bits;
    const bool done = lab::eventually([&] {
        finished = lab::run(
            {"iperf3", "-J", "-c", address(), "-p", std::to_string(open_port), "-n", bytes_to_send},
            client().netns.path());
        bits = received_bits(finished.out);
        return bits.has_value();
    });
    if (!done)
        throw std::runtime_error(fmt::format("{}: iperf3: {}", name(), finished.out));
    return *bits;
}

double Lane::datagram() const
{
    const auto receiver = Socket::listen(server(), Transport::udp, open_port);
    const auto sender = Socket::connect(client(), Transport::udp, address(), open_port);
    Samples costs;
    for (const auto start = steady_clock::now(); steady_clock::now() - start < span;) {
        const auto begin = steady_clock::now();
        for (int i = 0; i < burst; i++)
            sender.send("x");
        expect_open(drain(receiver, burst));
        costs.add(ns_since(begin) / burst);
    }
    return costs.median();
}

std::pair<double, double> Lane::ping_pong() const
{
    const auto connection =
        lab::open_connection(client(), server(), family_, Transport::tcp, open_port);
    if (!connection)
        throw std::runtime_error(fmt::format("{}: no connection", name()));
    set_blocking(connection->client);
    set_blocking(connection->server);
    std::jthread echo([&] {
        pin_to_first_core();
        char c = 0;
        while (recv(connection->server.fd(), &c, 1, 0) == 1)
            (void)send(connection->server.fd(), &c, 1, MSG_NOSIGNAL);
    });
    Samples costs;
    std::jthread([&] {
        pin_to_first_core();
        char c = 'x';
        for (const auto start = steady_clock::now(); steady_clock::now() - start < span;) {
            const auto begin = steady_clock::now();
            if (send(connection->client.fd(), &c, 1, MSG_NOSIGNAL) != 1 ||
                recv(connection->client.fd(), &c, 1, 0) != 1)
                break;
            costs.add(ns_since(begin));
        }
    }).join();
    shutdown(connection->client.fd(), SHUT_RDWR);
    if (costs.values().size() < 100)
        throw std::runtime_error(fmt::format("{}: the conversation broke off", name()));
    return {costs.median(), costs.at(0.99)};
}

std::pair<double, double> Lane::connections() const
{
    const auto listener = Socket::listen(server(), Transport::tcp, open_port);
    set_blocking(listener);
    const lab::SocketAddress to(address(), open_port);
    Samples rates, connects;
    inside(client(), [&] {
        for (int round = 0; round < bursts_of_connections; round++) {
            const auto begin = steady_clock::now();
            for (int i = 0; i < burst_of_connections; i++) {
                const ebpfd::Fd here(socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
                const auto start = steady_clock::now();
                if (::connect(here.get(), to.get(), to.size()) != 0)
                    fail(fmt::format("{}: connect", name()));
                connects.add(ns_since(start));
                const ebpfd::Fd there(accept(listener.fd(), nullptr, nullptr));
            }
            rates.add(burst_of_connections * 1e9 / ns_since(begin));
        }
    });
    return {rates.median(), connects.median()};
}

double Lane::new_flow()
{
    const auto receiver = Socket::listen(server(), Transport::udp, open_port);
    const lab::SocketAddress to(address(), open_port);
    Samples costs;
    inside(client(), [&] {
        for (int round = 0; round < bursts_of_flows; round++) {
            const auto begin = steady_clock::now();
            for (int i = 0; i < burst; i++) {
                // Ports of our own, so that none comes again while others still remember it.
                const lab::SocketAddress from(family_ == lab::Family::v4 ? "0.0.0.0" : "::",
                                              next_source_port_++);
                const ebpfd::Fd fd(socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
                if (bind(fd.get(), from.get(), from.size()) != 0 ||
                    sendto(fd.get(), "x", 1, 0, to.get(), to.size()) != 1)
                    fail(fmt::format("{}: send", name()));
            }
            costs.add(ns_since(begin) / burst);
            expect_open(drain(receiver, burst));
        }
    });
    return costs.median();
}

double Lane::refused_packet(uint16_t port) const
{
    const auto receiver = Socket::listen(server(), Transport::udp, port);
    const auto sender = Socket::connect(client(), Transport::udp, address(), port);
    Samples costs;
    for (const auto start = steady_clock::now(); steady_clock::now() - start < span;) {
        const auto begin = steady_clock::now();
        for (int i = 0; i < burst; i++)
            sender.send("x");
        costs.add(ns_since(begin) / burst);
        if (!rival_.refuses)
            expect_open(drain(receiver, burst));
    }
    if (rival_.refuses && receiver.receive(0ms))
        throw std::runtime_error(fmt::format("{}: nothing is refused", name()));
    return costs.median();
}

using Lanes = std::vector<std::unique_ptr<Lane>>;

Measurement about(const Lanes& lanes, const char* name, const char* unit,
                  bool more_is_better = false)
{
    const bool v6 = lanes.front()->family() == lab::Family::v6;
    return {.group = "pods",
            .name = fmt::format("{}{}", name, v6 ? ", IPv6" : ""),
            .unit = unit,
            .base = no_policy,
            .size_name = "rules",
            .more_is_better = more_is_better};
}

template <class Take>
void compare(Run& run, const std::vector<Measurement>& what, const Lanes& lanes, Take take)
{
    std::vector<Variant> variants;
    for (const auto& lane : lanes)
        variants.push_back({lane->name(), lane->rules(), [&lane, take] { return take(*lane); }});
    run.measure(what, variants);
}

void compare_all(Run& run, const Lanes& lanes)
{
    using Values = std::vector<double>;
    const auto what = [&](const char* name, const char* unit, bool more_is_better = false) {
        return about(lanes, name, unit, more_is_better);
    };
    compare(run, {what("TCP throughput", "Gbit/s", true)}, lanes,
            [](Lane& lane) { return Values{lane.throughput() / 1e9}; });
    compare(run, {what("small UDP packet", "ns")}, lanes,
            [](Lane& lane) { return Values{lane.datagram()}; });
    compare(run, {what("ping-pong, p50", "us"), what("ping-pong, p99", "us")}, lanes,
            [](Lane& lane) {
                const auto [p50, p99] = lane.ping_pong();
                return Values{p50 / 1e3, p99 / 1e3};
            });
    compare(run, {what("connect and close", "1/s", true), what("connect, p50", "us")}, lanes,
            [](Lane& lane) {
                const auto [rate, p50] = lane.connections();
                return Values{rate, p50 / 1e3};
            });
    compare(run, {what("new UDP flow", "ns")}, lanes,
            [](Lane& lane) { return Values{lane.new_flow()}; });
    compare(run, {what("refused by the receiver's policy", "ns of the sender")}, lanes,
            [](Lane& lane) { return Values{lane.refused_packet(closed_port)}; });
    compare(run, {what("refused by the sender's policy", "ns of the sender")}, lanes,
            [](Lane& lane) { return Values{lane.refused_packet(forbidden_port)}; });
}

void measure_size(Run& run, lab::Family family, int rules)
{
    Lanes lanes;
    for (const Rival& rival : rivals()) {
        run.say(fmt::format("pods: {} rules, {}: {}", rules, lab::name_of(family), rival.name));
        lanes.push_back(std::make_unique<Lane>(rival, family, rules));
    }
    compare_all(run, lanes);
}

} // namespace

void measure_pods(Run& run)
{
    std::vector<int> sizes{10, 1'000};
    if (!run.quick())
        sizes.push_back(10'000);
    for (const int rules : sizes)
        measure_size(run, lab::Family::v4, rules);
    if (!run.quick())
        measure_size(run, lab::Family::v6, 1'000);
}

} // namespace bench
