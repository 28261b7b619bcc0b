// SPDX-License-Identifier: Apache-2.0
#include "lab/environment.h"
#include "lab/ip_shell.h"
#include "lab/kernel.h"
#include "lab/stamps.h"
#include "system/world.h"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <deque>
#include <fmt/format.h>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <net/if.h>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <thread>

namespace system_test {
namespace {

constexpr uint16_t port = 9000; // nobody listens there: packets arrive or do not
enum class Sends : uint8_t {
    from_the_first_moment,
    once_plugged_in, // as a container does: it is started when its network is ready
};
constexpr uint64_t first_index = 5000; // ip sets that of the pod's end only where both are given
constexpr uint64_t quiet_after = 200;  // packets of one pod that do not arrive

// A place for one pod after the other.
struct Place {
    Place(lab::Node& node, lab::Machine& made, uint8_t number, const lab::Machine& to)
        : machine(made), mac(number), host_ip(node.host().netns), pod_ip(made.netns),
          packets({{node.packet(made, to, lab::Family::v4), port}})
    {
    }
    lab::Machine& machine;
    uint8_t mac;
    lab::IpShell host_ip;
    lab::IpShell pod_ip;
    std::vector<lab::EarlySender::Target> packets;
    std::optional<lab::EarlySender> sender;
};

bool has_address(const lab::Machine& machine)
{
    sockaddr_in self{};
    self.sin_family = AF_INET;
    inet_pton(AF_INET, machine.v4.c_str(), &self.sin_addr);
    bool has = false;
    machine.netns.enter([&] {
        const ebpfd::Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        has = bind(fd.get(), reinterpret_cast<const sockaddr*>(&self), sizeof(self)) == 0;
    });
    return has;
}

// As eventually(), with hardly a pause: what comes next shall not wait for it.
bool soon(const std::function<bool()>& condition)
{
    const auto deadline = std::chrono::steady_clock::now() + lab::patience;
    while (!condition() && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    return condition();
}

// What arrived of one pod.
struct Leak {
    uint64_t packets = 0;
    int64_t last_ns = 0; // when the last of them was sent
};

// Pods that come at the same moment and compete with the agent for the network lock.
class PodsAtOnce : public testing::TestWithParam<std::tuple<std::string, Sends>> {
protected:
    static constexpr uint8_t places = 4;

    void SetUp() override;
    static Sends when() { return std::get<1>(GetParam()); }
    static void begin_to_send(Place& place, uint64_t life);
    static std::string veth(uint64_t life) { return fmt::format("veth-{}", life); }
    static std::string ready(uint64_t life) { return fmt::format("ready-{}", life); }
    void plug_in(const Place& place, uint64_t life) const;
    void unplug(Place& place, uint64_t life) const;
    void check_that_packets_arrive();
    void live_on(Place& place);
    void live(Place& place, uint64_t life);
    Leak leak_of(uint64_t life);
    void note(const Place& place, const Leak& leak);
    bool is_there(const std::string& interface) const;

    std::unique_ptr<World> world_;
    std::optional<lab::StampTap> tap_;
    std::deque<Place> places_;
    std::atomic<uint64_t> lives_ = 0;
    const uint64_t last_life_ = lab::count_of("EBPFD_PODS", 10) * places;
    std::mutex mutex_; // for all that follows
    std::map<uint64_t, Leak> leaks_;
    std::vector<double>
        windows_; // ms, from the first packet that was sent to the last that arrived
    uint64_t sent_ = 0;
    uint64_t leaked_ = 0; // interfaces
};
INSTANTIATE_TEST_SUITE_P(
    Agent, PodsAtOnce,
    testing::Combine(testing::ValuesIn(lab::kernel_has_tcx()
                                           ? std::vector<std::string>{"clsact", "tcx"}
                                           : std::vector<std::string>{"clsact"}),
                     testing::Values(Sends::from_the_first_moment, Sends::once_plugged_in)),
    [](const auto& test) {
        return std::get<0>(test.param) + (std::get<1>(test.param) == Sends::once_plugged_in
                                              ? "_once_plugged_in"
                                              : "_from_the_first_moment");
    });

void PodsAtOnce::SetUp()
{
    world_ = World::make(Wiring::routed);
    ASSERT_NE(world_, nullptr);
    world_->describe(Inventory::of(world_->node()));
    tap_.emplace(world_->machine("db"), port);
    ASSERT_TRUE(*tap_);
    for (uint8_t i = 0; i < places; ++i) {
        const auto number = static_cast<uint8_t>(60 + i);
        const auto made = world_->node().make_pod(fmt::format("place{}", i), number);
        ASSERT_TRUE(made) << made.error().message;
        places_.emplace_back(world_->node(), **made, number, world_->machine("db"));
    }
}

bool PodsAtOnce::is_there(const std::string& interface) const
{
    bool there = false;
    world_->node().host().netns.enter([&] { there = if_nametoindex(interface.c_str()) != 0; });
    return there;
}

Leak PodsAtOnce::leak_of(uint64_t life)
{
    const std::lock_guard lock(mutex_);
    for (const lab::Stamp& stamp : tap_->take()) {
        Leak& leak = leaks_[stamp.life];
        ++leak.packets;
        leak.last_ns = std::max(leak.last_ns, stamp.sent_ns);
    }
    return leaks_[life];
}

void PodsAtOnce::note(const Place& place, const Leak& leak)
{
    const std::lock_guard lock(mutex_);
    sent_ += place.sender->sent();
    if (leak.packets > 0) {
        ++leaked_;
        windows_.push_back(static_cast<double>(leak.last_ns - place.sender->first_ns()) / 1e6);
    }
}

void PodsAtOnce::begin_to_send(Place& place, uint64_t life)
{
    place.sender.emplace(place.machine, place.packets, life);
}

// The last command says that the node's end is ready.
void PodsAtOnce::plug_in(const Place& place, uint64_t life) const
{
    place.host_ip.run(fmt::format(
        "link add {0} index {5} address 02:00:00:00:02:{1:02x} type veth peer name eth0 index 2 "
        "address 02:00:00:00:01:{1:02x} netns {2}\n"
        "addr add {3}/32 dev {0}\nlink set {0} up\nroute replace {4}/32 dev {0} src {3}\n"
        "link property add dev {0} altname {6}\n",
        veth(life), place.mac, place.machine.netns.name(), lab::node_v4, place.machine.v4,
        first_index + life, ready(life)));
    EXPECT_TRUE(soon([&] { return is_there(veth(life)); }));
    place.pod_ip.run(fmt::format("link set eth0 up\naddr add {}/32 dev eth0\n", place.machine.v4));
}

void PodsAtOnce::unplug(Place& place, uint64_t life) const
{
    place.host_ip.run(fmt::format("link delete {}\n", veth(life)));
    place.sender.reset();
    EXPECT_TRUE(lab::eventually([&] { return !is_there(veth(life)); }));
}

void PodsAtOnce::live(Place& place, uint64_t life)
{
    if (when() == Sends::from_the_first_moment)
        begin_to_send(place, life);
    plug_in(place, life);
    EXPECT_TRUE(soon([&] { return is_there(ready(life)) && has_address(place.machine); }));
    if (when() == Sends::once_plugged_in)
        begin_to_send(place, life);
    uint64_t arrived = 0;
    uint64_t sent_then = place.sender->sent();
    EXPECT_TRUE(lab::eventually([&] {
        if (const auto now = leak_of(life).packets; now > arrived) {
            arrived = now;
            sent_then = place.sender->sent();
        }
        return place.sender->sent() > sent_then + quiet_after;
    })) << veth(life)
        << " stays open";
    note(place, leak_of(life));
    unplug(place, life);
}

// Without an agent, what a pod sends arrives.
void PodsAtOnce::check_that_packets_arrive()
{
    Place& place = places_.front();
    const uint64_t life = last_life_ + 1;
    begin_to_send(place, life);
    plug_in(place, life);
    EXPECT_TRUE(lab::eventually([&] { return leak_of(life).packets > quiet_after; }));
    unplug(place, life);
}

void PodsAtOnce::live_on(Place& place)
{
    for (uint64_t life = ++lives_; life <= last_life_ && !HasFailure(); life = ++lives_)
        live(place, life);
}

TEST_P(PodsAtOnce, AreClosedWhileOthersComeAsWell)
{
    check_that_packets_arrive();
    ASSERT_TRUE(world_->agent().start(
        {"--attach", std::get<0>(GetParam()), "--hooks", "none", "--pod-interfaces", "veth-*"}));
    {
        std::vector<std::jthread> threads;
        for (Place& place : places_)
            threads.emplace_back([&] { live_on(place); });
    }
    windows_.resize(last_life_);
    std::ranges::sort(windows_);
    std::cout << fmt::format("{} interfaces, {} packets sent; {} interfaces leaked, window p90 "
                             "{:.1f}, p99 {:.1f}, max {:.1f} ms\n",
                             last_life_, sent_, leaked_, windows_[last_life_ * 90 / 100],
                             windows_[last_life_ * 99 / 100], windows_.back());
    EXPECT_LT(leaked_, when() == Sends::once_plugged_in ? last_life_ / 2 : last_life_);
}

} // namespace
} // namespace system_test
