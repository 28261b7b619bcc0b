// SPDX-License-Identifier: Apache-2.0
#include "kernel/filters.h"
#include "kernel/pinned.h"
#include "lab/environment.h"
#include "lab/ip_shell.h"
#include "lab/stamps.h"
#include "system/kinds.h"
#include "system/world.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <mutex>
#include <net/if.h>
#include <random>
#include <set>
#include <thread>

namespace system_test {
namespace {

constexpr size_t places = 8;     // for pods that are there at a time
constexpr size_t addresses = 12; // that they share
constexpr uint32_t first_index = 5000;
constexpr uint32_t many_indexes = 200000; // each nearly once
constexpr uint64_t life_max = 400;        // packets that a pod sends before it goes

std::string address_of(size_t number)
{
    return fmt::format("10.1.0.{}", 100 + number);
}

// Who a pod is; its life has a number, which its packets carry.
struct Life {
    uint64_t number = 0;
    Kind kind = red;
    size_t address = 0;
    uint32_t index = 0;
    std::string name() const { return fmt::format("pod-{}", number); }
    // Another name each time: ip remembers the number of one that it knows.
    std::string interface() const { return fmt::format("veth-{}", number); }
    bool may_send(size_t by_address, Kind by) const { return by_address == address && by == kind; }
};

// What packets a sender makes: by each address and port, to each peer.
struct Target {
    size_t address;
    Kind port;
};
constexpr std::array<const char*, 2> peers{"api", "db"};
constexpr Target target_of(uint64_t number)
{
    return {number / 4, static_cast<Kind>(number / 2 % 2)};
}

// A place for one pod after the other: a namespace whose interface comes and goes.
struct Place {
    Place(lab::Node& node, uint8_t number, lab::Machine& made)
        : machine(made), mac(number), host_ip(node.host().netns), pod_ip(made.netns)
    {
    }
    lab::Machine& machine;
    uint8_t mac; // last byte of both ends'
    lab::IpShell host_ip;
    lab::IpShell pod_ip;
    std::unique_ptr<lab::EarlySender> sender;
    std::vector<lab::StampTap> taps; // by port
    std::mt19937 random;
    std::vector<std::filesystem::path> stale; // entries of pods that are gone
};

// Pods that come and go in eight places at once, some hundred a second, with each other's
// addresses; entries in the inventory come and go before and after them.
class PodChurn : public testing::TestWithParam<bool> {
protected:
    void SetUp() override;
    void make_places();
    void live_on(Place& place);
    void churn();
    void live(Place& place, const Life& life);
    Life begin(std::mt19937& random);
    void end(const Life& life);
    bool plug(Place& place, const Life& life);
    bool unplug(Place& place, const Life& life);
    bool is_there(const Life& life) const;
    std::filesystem::path entry_of(const Life& life)
    {
        return world_->agent().inventory() / (life.name() + ".yaml");
    }
    bool is_enforced(const Life& life) const;
    void describe(const Life& life);
    void listen_to_peers();
    void listen_to(Place& place, const Life& life);
    void judge(bool may, const std::string& what);
    // What may not grow: entries of maps, pinned links, open files.
    std::map<std::string, size_t> sizes();
    size_t resident_kib();

    std::unique_ptr<World> world_;
    std::deque<Place> places_;
    std::unique_ptr<lab::EarlySender> web_;
    std::map<std::string, std::vector<lab::StampTap>> taps_;
    std::mutex mutex_; // for all that follows
    uint64_t lives_ = 0;
    uint64_t last_life_ = lab::count_of("EBPFD_LIVES", 600);
    const uint32_t index_count_ =
        static_cast<uint32_t>(std::max(places, lab::count_of("EBPFD_INDEXES", many_indexes)));
    std::map<uint64_t, Life> known_; // all that there were
    std::set<size_t> addresses_;     // in use
    std::set<uint32_t> indexes_;
    std::map<std::string, uint64_t> right_;
    std::map<std::string, uint64_t> wrong_;
};
INSTANTIATE_TEST_SUITE_P(Agent, PodChurn, testing::Bool(), [](const auto& test) {
    return test.param ? "PodInterfacesNamed" : "AnyInterfaces";
});

void PodChurn::SetUp()
{
    world_ = World::make(Wiring::routed);
    ASSERT_NE(world_, nullptr);
    world_->describe(Inventory::of(world_->node()));
    for (const PolicyFile& file : policies_of_kinds())
        replace_file(world_->agent().policies() / file.name, file.text);
    for (const char* peer : peers)
        for (const uint16_t port : port_of)
            ASSERT_TRUE(taps_[peer].emplace_back(world_->machine(peer), port));
    make_places();
}

void PodChurn::make_places()
{
    lab::Node& node = world_->node();
    for (size_t i = 0; i < places; ++i) {
        const auto number = static_cast<uint8_t>(60 + i);
        const auto made = node.make_pod(fmt::format("place{}", i), number);
        ASSERT_TRUE(made) << made.error().message;
        Place& place = places_.emplace_back(node, number, **made);
        place.random.seed(static_cast<unsigned>(lab::count_of("EBPFD_SEED", 1) * places + i));
        std::vector<lab::EarlySender::Target> targets;
        for (uint64_t target = 0; target < addresses * 4; ++target)
            targets.push_back({node.frame(place.machine)
                                   .ipv4(address_of(target_of(target).address),
                                         world_->machine(peers.at(target % 2)).v4),
                               port_of.at(target_of(target).port)});
        place.sender = std::make_unique<lab::EarlySender>(place.machine, targets);
    }
    std::vector<lab::EarlySender::Target> targets;
    const lab::Machine& web = world_->machine("web");
    for (uint64_t target = 0; target < addresses * 4; ++target)
        targets.push_back({node.frame(web).ipv4(web.v4, address_of(target_of(target).address)),
                           port_of.at(target_of(target).port)});
    web_ = std::make_unique<lab::EarlySender>(web, targets);
}

bool PodChurn::is_there(const Life& life) const
{
    bool there = false;
    world_->node().host().netns.enter(
        [&] { there = if_nametoindex(life.interface().c_str()) != 0; });
    return there;
}

// Whether programs are on the interface.
bool PodChurn::is_enforced(const Life& life) const
{
    bool enforced = false;
    world_->node().host().netns.enter([&] {
        const auto has_some = [&](const ebpfd::Hook& hook) {
            const auto filters = ebpfd::filters_at(life.index, hook);
            return filters && !filters->empty();
        };
        enforced = if_nametoindex(life.interface().c_str()) == life.index &&
                   std::ranges::all_of(ebpfd::HOOKS, has_some);
    });
    return enforced;
}

bool PodChurn::plug(Place& place, const Life& life)
{
    const std::string address = address_of(life.address);
    place.host_ip.run(fmt::format(
        "link add {0} index {1} address 02:00:00:00:02:{2:02x} type veth peer name eth0 index 2 "
        "address 02:00:00:00:01:{2:02x} netns {3}\n"
        "addr add {4}/32 dev {0}\nlink set {0} up\nroute replace {5}/32 dev {0} src {4}\n",
        life.interface(), life.index, place.mac, place.machine.netns.name(), lab::node_v4,
        address));
    // How fast it is closed is another test's question; here, it waits for that.
    if (!lab::eventually([&] { return is_there(life) && (!GetParam() || is_enforced(life)); }))
        return false;
    place.pod_ip.run(fmt::format("link set eth0 up\naddr add {0}/32 dev eth0\n"
                                 "route add {1} dev eth0 scope link\n"
                                 "route add default via {1}\n",
                                 address, lab::node_v4));
    for (const uint16_t port : port_of)
        place.taps.emplace_back(place.machine, port);
    return true;
}

bool PodChurn::unplug(Place& place, const Life& life)
{
    place.host_ip.run("link delete " + life.interface() + "\n");
    return lab::eventually([&] { return !is_there(life); });
}

void PodChurn::describe(const Life& life)
{
    Inventory one;
    one.add({.pod_namespace = "ops",
             .name = life.name(),
             .labels = fmt::format("{{app: {}}}", name_of_kind.at(life.kind)),
             .addresses = {address_of(life.address)}});
    replace_file(entry_of(life), one.yaml());
}

Life PodChurn::begin(std::mt19937& random)
{
    const std::lock_guard lock(mutex_);
    const auto draw = [&](auto& used, uint32_t first, uint32_t count) {
        for (;;)
            if (const auto drawn = first + static_cast<uint32_t>(random() % count);
                used.insert(drawn).second)
                return drawn;
    };
    Life life{.number = ++lives_,
              .kind = static_cast<Kind>(random() % 2),
              .address = draw(addresses_, 0, addresses),
              .index = draw(indexes_, first_index, index_count_)};
    known_[life.number] = life;
    return life;
}

void PodChurn::end(const Life& life)
{
    const std::lock_guard lock(mutex_);
    addresses_.erase(life.address);
    indexes_.erase(life.index);
}

void PodChurn::judge(bool may, const std::string& what)
{
    const std::lock_guard lock(mutex_);
    ++(may ? right_ : wrong_)[what];
}

void PodChurn::listen_to(Place& place, const Life& life)
{
    for (const Kind by : {red, blue})
        for (const lab::Stamp& stamp : place.taps.at(by).take())
            if (stamp.life == 0) // web's; the others are the pod's own
                judge(life.may_send(target_of(stamp.target).address, by), "web to a pod");
}

void PodChurn::listen_to_peers()
{
    for (const auto& [peer, taps] : taps_)
        for (const Kind by : {red, blue})
            for (const lab::Stamp& stamp : taps.at(by).take()) {
                std::unique_lock lock(mutex_);
                const Life life = known_.at(stamp.life);
                lock.unlock();
                judge(life.may_send(target_of(stamp.target).address, by), "a pod to " + peer);
            }
}

void PodChurn::live(Place& place, const Life& life)
{
    const bool told_first = place.random() % 2 == 0;
    const uint64_t until = place.random() % life_max;
    place.sender->begin_life(life.number);
    if (told_first)
        describe(life);
    ASSERT_TRUE(plug(place, life)) << life.name();
    if (!told_first)
        describe(life);
    EXPECT_TRUE(lab::eventually([&] { return place.sender->sent() > until; })) << life.name();
    for (const auto& entry : std::exchange(place.stale, {}))
        std::filesystem::remove(entry);
    switch (place.random() % 3) {
    case 0:
        std::filesystem::remove(entry_of(life)); // before the interface goes
        break;
    case 1:
        place.stale.push_back(entry_of(life)); // others come meanwhile
        break;
    default:
        break;
    }
    listen_to(place, life);
    place.taps.clear();
    ASSERT_TRUE(unplug(place, life)) << life.name();
    if (place.stale.empty())
        std::filesystem::remove(entry_of(life));
}

void PodChurn::live_on(Place& place)
{
    for (;;) {
        const Life life = begin(place.random);
        if (life.number > last_life_ || HasFailure())
            return end(life);
        live(place, life);
        end(life);
    }
}

std::map<std::string, size_t> PodChurn::sizes()
{
    std::map<std::string, size_t> sizes;
    const auto maps = ebpfd::PinnedMaps::open(world_->agent().bpffs());
    if (const auto all = maps ? (*maps)->summaries() : std::unexpected(maps.error()))
        for (const auto& map : *all)
            if (map.name != "flow_map") // web goes on trying
                sizes[map.name] = map.entries;
    const auto count = [](const std::filesystem::path& folder) {
        return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
    };
    sizes["links"] = count(world_->agent().bpffs() / "links");
    sizes["open files"] = count(fmt::format("/proc/{}/fd", world_->agent().process().pid()));
    return sizes;
}

size_t PodChurn::resident_kib()
{
    std::ifstream status(fmt::format("/proc/{}/status", world_->agent().process().pid()));
    for (std::string word; status >> word;)
        if (size_t size = 0; word == "VmRSS:" && status >> size)
            return size;
    return 0;
}

// All lives, in each place one after the other.
void PodChurn::churn()
{
    std::atomic<size_t> left = places;
    std::vector<std::jthread> threads;
    for (Place& place : places_)
        threads.emplace_back([&] {
            live_on(place);
            --left;
        });
    while (left > 0) {
        lab::eventually([&] { return left == 0; }, std::chrono::milliseconds(20));
        listen_to_peers();
    }
}

TEST_P(PodChurn, NoPodIsTakenForAnother)
{
    lab::Argv options{"--hooks", "none"};
    if (GetParam())
        options.insert(options.end(), {"--pod-interfaces", "veth*"});
    ASSERT_TRUE(world_->agent().start(options)) << world_->agent().process().err();
    // Links have taken over from filters, and refusals of the start are forgotten.
    const auto quiet = [this] { return sizes().at("links") == 8; };
    ASSERT_TRUE(lab::eventually(quiet));
    const auto before = sizes();
    const auto resident = resident_kib();
    const auto began = std::chrono::steady_clock::now();
    churn();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    listen_to_peers();
    for (const auto& [what, count] : right_)
        std::cout << fmt::format("{}: {} passed as they may, {} as they may not\n", what, count,
                                 wrong_[what]);
    std::cout << fmt::format("{} pods, {:.0f} a second; resident {} to {} KiB\n", last_life_,
                             static_cast<double>(last_life_) / took.count(), resident,
                             resident_kib());
    for (const auto& [what, count] : wrong_)
        EXPECT_TRUE(count == 0 || !GetParam()) << what;
    for (Place& place : places_)
        for (const auto& entry : std::exchange(place.stale, {}))
            std::filesystem::remove(entry);
    const auto settled = world_->agent().settle();
    EXPECT_EQ(settled.exit, exit_ok) << settled.out << settled.err;
    EXPECT_TRUE(lab::eventually([&] { return sizes() == before; }, std::chrono::seconds(20)))
        << testing::PrintToString(sizes()) << " and not " << testing::PrintToString(before);
    EXPECT_LT(resident_kib(), resident + (size_t{16} << 10));

    // And those that stay are who they are.
    right_.clear();
    wrong_.clear();
    std::vector<Life> staying;
    for (Place& place : places_) {
        const Life life = staying.emplace_back(begin(place.random));
        place.sender->begin_life(life.number);
        describe(life);
        ASSERT_TRUE(plug(place, life));
    }
    EXPECT_TRUE(lab::eventually([&] {
        listen_to_peers();
        for (size_t i = 0; i < places; ++i)
            listen_to(places_.at(i), staying.at(i));
        return right_.size() == 3 &&
               std::ranges::all_of(right_, [](const auto& one) { return one.second > 100; });
    })) << testing::PrintToString(right_);
    for (size_t i = 0; i < places; ++i)
        EXPECT_TRUE(unplug(places_.at(i), staying.at(i)));
}

} // namespace
} // namespace system_test
