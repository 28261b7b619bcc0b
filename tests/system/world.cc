// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <array>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fstream>
#include <map>
#include <set>
#include <thread>

namespace system_test {
namespace {

constexpr std::array<uint16_t, 3> tcp_ports{80, 5432, 8080};

std::map<Wiring, std::unique_ptr<World>>& shared_worlds()
{
    static std::map<Wiring, std::unique_ptr<World>> worlds;
    return worlds;
}

// Takes the shared worlds down while everything they need still exists.
class SharedWorlds : public testing::Environment {
public:
    void SetUp() override { lab::remove_leftovers(); }
    void TearDown() override { World::drop_shared(); }
};

[[maybe_unused]] const auto* const registered = testing::AddGlobalTestEnvironment(new SharedWorlds);

// What happened to a TCP attempt, "connected" if an echo came back.
std::string try_tcp(const lab::Machine& from, const std::string& to, const Attempt& attempt)
{
    const auto socket = lab::Socket::connect(from, Transport::tcp, to, attempt.port);
    const auto outcome = socket.outcome(attempt.passes ? lab::patience : lab::silence);
    if (outcome == lab::Outcome::connected && (!socket.send("echo") || socket.receive() != "echo"))
        return "connected, without an echo";
    return fmt::format("{}", fmt::streamed(outcome));
}

std::string try_udp(const lab::Machine& from, const std::string& to, const Attempt& attempt)
{
    const auto socket = lab::Socket::connect(from, Transport::udp, to, attempt.port);
    if (!socket.send("echo"))
        return "broken";
    const auto answer = socket.receive(attempt.passes ? lab::patience : lab::silence);
    return answer == "echo" ? "connected" : "silent";
}

std::string try_icmp(const lab::Machine& from, const std::string& to, const Attempt& attempt)
{
    const bool answered = lab::ping(from, to, attempt.passes ? lab::patience : lab::silence);
    return answered ? "connected" : "silent";
}

} // namespace

std::unique_ptr<World> World::make(Wiring wiring)
{
    std::unique_ptr<World> world(new World);
    auto node = lab::Node::make(wiring);
    if (!node) {
        ADD_FAILURE() << node.error().message;
        return nullptr;
    }
    world->node_ = std::move(*node);
    world->agent_ = std::make_unique<Agent>(*world->node_);
    world->servers_ = std::make_unique<lab::EchoServer>();
    bool served = world->serve(world->node_->outside());
    for (const auto& [name, number] :
         {std::pair{"web", 10}, {"db", 20}, {"api", 30}, {"scan", 40}}) {
        const auto pod = world->node_->add_pod(name, static_cast<uint8_t>(number));
        if (!pod)
            ADD_FAILURE() << pod.error().message;
        served = served && pod && world->serve(**pod);
    }
    if (!served)
        ADD_FAILURE() << "servers cannot listen";
    return served ? std::move(world) : nullptr;
}

World* World::shared(Wiring wiring)
{
    auto& worlds = shared_worlds();
    if (!worlds.contains(wiring)) {
        worlds[wiring] = make(wiring);
        if (worlds[wiring])
            worlds[wiring]->describe(Inventory::of(worlds[wiring]->node()));
    }
    World* world = worlds[wiring].get();
    if (world != nullptr && !world->agent().running() && !world->agent().start()) {
        ADD_FAILURE() << "ebpfd does not run: " << world->agent().process().err();
        return nullptr;
    }
    return world;
}

void World::drop_shared()
{
    shared_worlds().clear();
}

bool World::serve(const lab::Machine& machine)
{
    for (const uint16_t port : tcp_ports)
        if (!servers_->serve(machine, Transport::tcp, port))
            return false;
    return servers_->serve(machine, Transport::udp, 53) &&
           servers_->serve(machine, Transport::udp, 5432);
}

const lab::Machine& World::machine(const std::string& name) const
{
    if (name == "node")
        return node_->host();
    return name == "outside" ? node_->outside() : node_->pod(name);
}

std::string World::address(const std::string& name, Family family) const
{
    if (name == "service")
        return std::string(family == Family::v4 ? lab::service_v4 : lab::service_v6);
    return machine(name).at(family);
}

lab::Finished World::enforce(const std::vector<PolicyFile>& policies)
{
    std::set<std::filesystem::path> wanted;
    for (const PolicyFile& file : policies) {
        wanted.insert(agent_->policies() / file.name);
        replace_file(agent_->policies() / file.name, file.text);
    }
    for (const auto& entry : std::filesystem::directory_iterator(agent_->policies()))
        if (!wanted.contains(entry.path()))
            std::filesystem::remove_all(entry.path());
    return agent_->settle();
}

void World::describe(const Inventory& inventory)
{
    replace_file(agent_->inventory() / "inventory.yaml", inventory.yaml());
}

std::string World::judge(const Attempt& attempt, Family family)
{
    const lab::Machine& from = machine(attempt.from);
    const std::string to = address(attempt.to, family);
    std::string ended;
    if (attempt.transport == Transport::tcp)
        ended = try_tcp(from, to, attempt);
    else if (attempt.transport == Transport::udp)
        ended = try_udp(from, to, attempt);
    else
        ended = try_icmp(from, to, attempt);
    const std::string expected = attempt.passes ? "connected" : "silent";
    if (ended == expected)
        return {};
    return fmt::format("{} > {} {} {}: {}, not {}\n", attempt.from, attempt.to,
                       fmt::streamed(attempt.transport), attempt.port, ended, expected);
}

testing::AssertionResult World::traffic(const std::vector<Attempt>& attempts, Family family)
{
    std::vector<std::string> complaints(attempts.size());
    {
        std::vector<std::jthread> threads;
        for (size_t i = 0; i < attempts.size(); ++i)
            threads.emplace_back([&, i] { complaints[i] = judge(attempts[i], family); });
    }
    std::string all;
    for (const std::string& complaint : complaints)
        all += complaint;
    if (all.empty())
        return testing::AssertionSuccess();
    return testing::AssertionFailure() << all;
}

void OnNode::SetUp()
{
    world_ = World::shared(wiring());
    ASSERT_NE(world_, nullptr);
    inventory_ = Inventory::of(node());
    world_->describe(inventory_);
    enforce({});
}

void OnRoutedPods::SetUp()
{
    world_ = World::shared(Wiring::routed);
    ASSERT_NE(world_, nullptr);
    world_->describe(Inventory::of(world_->node()));
}

void OnWorld::enforce(const std::vector<PolicyFile>& policies)
{
    const lab::Finished settled = world_->enforce(policies);
    ASSERT_EQ(settled.exit, exit_ok) << settled.out << settled.err;
}

void OnNode::describe(const Inventory& inventory)
{
    world_->describe(inventory);
    const lab::Finished settled = agent().settle();
    ASSERT_EQ(settled.exit, exit_ok) << settled.out << settled.err;
}

bool OnNode::arrives(const std::string& from, const std::string& to, const lab::Packet& packet,
                     bool expected)
{
    static int count = 0;
    const std::string marker = fmt::format("<marker {}>", ++count);
    lab::Packet marked = packet;
    return lab::arrives(machine(from), machine(to), marked.payload(marker).bytes(), marker,
                        expected ? lab::patience : lab::silence);
}

std::string node_name(const testing::TestParamInfo<std::tuple<Wiring, Family>>& info)
{
    return fmt::format("{}_{}", lab::name_of(std::get<0>(info.param)),
                       lab::name_of(std::get<1>(info.param)));
}

} // namespace system_test
