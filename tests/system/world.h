// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "lab/node.h"
#include "lab/socket.h"
#include "lab/wire.h"
#include "system/agent.h"
#include "system/objects.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace system_test {

using lab::Family;
using lab::Transport;
using lab::Wiring;

// One attempt to get through, and whether it should.
struct Attempt {
    std::string from;
    std::string to;
    uint16_t port = 0;
    Transport transport = Transport::tcp;
    bool passes = true;
};

inline Attempt yes(std::string from, std::string to, uint16_t port)
{
    return {std::move(from), std::move(to), port, Transport::tcp, true};
}
inline Attempt no(std::string from, std::string to, uint16_t port)
{
    return {std::move(from), std::move(to), port, Transport::tcp, false};
}
inline Attempt udp(std::string from, std::string to, uint16_t port, bool passes)
{
    return {std::move(from), std::move(to), port, Transport::udp, passes};
}
inline Attempt icmp(std::string from, std::string to, bool passes)
{
    return {std::move(from), std::move(to), 0, Transport::icmp, passes};
}

// A node with four pods, servers on all of them, and an agent.
class World {
public:
    // Nothing, with the failure reported to the running test, if the lab cannot be built.
    static std::unique_ptr<World> make(Wiring wiring);
    // The one of this wiring that tests share; its agent runs.
    static World* shared(Wiring wiring);
    static void drop_shared();

    lab::Node& node() { return *node_; }
    Agent& agent() { return *agent_; }
    // A pod by name, or "node", or "outside".
    const lab::Machine& machine(const std::string& name) const;
    // Where to find it; "service" is a cluster IP.
    std::string address(const std::string& name, Family family) const;
    bool serve(const lab::Machine& machine);

    // Writes the files, and nothing else, into the policy folder and waits for them.
    lab::Finished enforce(const std::vector<PolicyFile>& policies);
    void describe(const Inventory& inventory);
    // All at once; a message for each that ended otherwise than it should.
    testing::AssertionResult traffic(const std::vector<Attempt>& attempts, Family family);

private:
    World() = default;
    std::string judge(const Attempt& attempt, Family family);

    std::unique_ptr<lab::Node> node_;
    std::unique_ptr<Agent> agent_;
    std::unique_ptr<lab::EchoServer> servers_;
};

// On a shared world.
class OnWorld : public testing::Test {
protected:
    Agent& agent() { return world_->agent(); }
    void enforce(const std::vector<PolicyFile>& policies);

    World* world_ = nullptr;
};

// Each test on both wirings and with both families.
class OnNode : public OnWorld, public testing::WithParamInterface<std::tuple<Wiring, Family>> {
protected:
    void SetUp() override;

    static Wiring wiring() { return std::get<0>(GetParam()); }
    static Family family() { return std::get<1>(GetParam()); }
    lab::Node& node() { return world_->node(); }
    const lab::Machine& machine(const std::string& name) { return world_->machine(name); }
    const std::string& at(const std::string& name) { return machine(name).at(family()); }
    // A block around one address of this family, or another block by family.
    std::string block(const std::string& v4, const std::string& v6) const
    {
        return family() == Family::v4 ? v4 : v6;
    }

    void describe(const Inventory& inventory);
    testing::AssertionResult traffic(const std::vector<Attempt>& attempts)
    {
        return world_->traffic(attempts, family());
    }
    // A frame from a pod that carries marker, built on the beginning that leads to the machine.
    lab::Packet packet(const std::string& from, const std::string& to)
    {
        return node().packet(machine(from), machine(to), family());
    }
    bool arrives(const std::string& from, const std::string& to, const lab::Packet& packet,
                 bool expected);

    Inventory inventory_;
};

// Tests for which one wiring and one family are enough, on the world of routed pods.
class OnRoutedPods : public OnWorld {
protected:
    void SetUp() override;
    testing::AssertionResult traffic(const std::vector<Attempt>& attempts)
    {
        return world_->traffic(attempts, Family::v4);
    }
    // Whether web reaches db at that port, and not at the other.
    testing::AssertionResult db_has_open(uint16_t port, uint16_t other)
    {
        return traffic({yes("web", "db", port), no("web", "db", other)});
    }
};

// Names "routed_IPv4" and so on; for INSTANTIATE_TEST_SUITE_P.
inline const auto every_node = testing::Combine(testing::Values(Wiring::routed, Wiring::bridged),
                                                testing::Values(Family::v4, Family::v6));
std::string node_name(const testing::TestParamInfo<std::tuple<Wiring, Family>>& info);

} // namespace system_test
