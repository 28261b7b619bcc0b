// SPDX-License-Identifier: Apache-2.0
#include "lab/kernel.h"
#include "lab/stamps.h"
#include "system/kinds.h"
#include "system/world.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace system_test {
namespace {

constexpr uint8_t number = 50; // of the address that both have, one after the other
constexpr uint64_t peers_life = 1000;
constexpr uint64_t a_while = 300; // packets that the pod sends

// What happens between a red pod that talks and a blue one with its address.
enum class Step : uint8_t {
    red_unplugged,
    blue_plugged,
    nothing_told, // neither pod stands in the inventory
    both_told,
    blue_told, // alone
};
struct Story {
    const char* name;
    std::vector<Step> steps;
    const char* red_created = "2024-05-01T10:00:00Z"; // as blue
    uint32_t index = 0;                               // of both interfaces
};
void PrintTo(const Story& story, std::ostream* out)
{
    *out << story.name;
}

using enum Step;
const std::array stories{
    Story{"OneAfterTheOther", {nothing_told, red_unplugged, blue_told, blue_plugged}},
    Story{"InterfacesFirst", {red_unplugged, blue_plugged, blue_told}},
    Story{"InterfaceGoesFirst", {red_unplugged, nothing_told, blue_plugged, blue_told}},
    Story{"EntryGoesFirst", {nothing_told, red_unplugged, blue_plugged, blue_told}},
    Story{"EntryComesBeforeTheInterface", {red_unplugged, blue_told, blue_plugged}},
    Story{"BothEntriesForAWhile", {red_unplugged, both_told, blue_plugged, blue_told}},
    Story{"TheEntryThatStaysSaysItIsNewer",
          {red_unplugged, blue_plugged, both_told},
          "2024-05-01T11:00:00Z"},
    Story{"SameNumber", {red_unplugged, blue_plugged, blue_told}, "2024-05-01T10:00:00Z", 5000},
    Story{"SameNumberBothEntries",
          {red_unplugged, both_told, blue_plugged},
          "2024-05-01T10:00:00Z",
          5000},
};

// An address that is one pod's, then another's, while everybody goes on sending by the same ports.
class AddressReuse : public testing::TestWithParam<std::tuple<std::string, Story>> {
protected:
    void SetUp() override;
    static const Story& story() { return std::get<1>(GetParam()); }
    bool start(lab::Argv options)
    {
        options.insert(options.end(), {"--attach", std::get<0>(GetParam()), "--hooks", "none"});
        return world_->agent().start(options);
    }
    void take(Step step);
    void plug(Kind kind);
    void unplug(Kind kind);
    void tell(const std::vector<Kind>& kinds);
    // Takes in what has arrived since.
    void look();
    void look_for_a_while();
    // That all that may pass does, in all four streams.
    testing::AssertionResult talks();

    struct Pod {
        lab::Machine* machine = nullptr;
        std::unique_ptr<lab::EarlySender> sender;
        std::vector<lab::StampTap> taps; // by port
    };
    std::vector<lab::EarlySender::Target> to_all_ports(const lab::Machine& from,
                                                       const lab::Machine& to)
    {
        const auto beginning = world_->node().packet(from, to, Family::v4);
        return {{beginning, port_of[red]}, {beginning, port_of[blue]}};
    }
    static std::vector<lab::StampTap> tap(const lab::Machine& machine)
    {
        std::vector<lab::StampTap> taps;
        for (const uint16_t port : port_of)
            EXPECT_TRUE(taps.emplace_back(machine, port));
        return taps;
    }

    std::unique_ptr<World> world_;
    Inventory inventory_;
    std::array<Pod, 2> pods_; // by kind
    std::map<std::string, std::vector<lab::StampTap>> receivers_;
    std::vector<std::unique_ptr<lab::EarlySender>> peers_;
    std::map<std::string, uint64_t> right_; // that arrived since talks(), by stream
    uint64_t wrong_ = 0;                    // that arrived and may not
    int64_t since_ns_ = 0;                  // what was sent earlier does not count
    std::string last_wrong_;
};

void AddressReuse::SetUp()
{
    world_ = World::make(Wiring::routed);
    ASSERT_NE(world_, nullptr);
    inventory_ = Inventory::of(world_->node());
    world_->describe(inventory_);
    for (const PolicyFile& file : policies_of_kinds())
        replace_file(world_->agent().policies() / file.name, file.text);
    for (const char* name : {"api", "db"})
        receivers_.emplace(name, tap(world_->machine(name)));
}

void AddressReuse::plug(Kind kind)
{
    Pod& pod = pods_.at(kind);
    lab::Node& node = world_->node();
    const auto made = node.make_pod(name_of_kind.at(kind), number);
    ASSERT_TRUE(made) << made.error().message;
    pod.machine = *made;
    auto targets = to_all_ports(*pod.machine, world_->machine("api"));
    std::ranges::copy(to_all_ports(*pod.machine, world_->machine("db")),
                      std::back_inserter(targets));
    pod.sender = std::make_unique<lab::EarlySender>(*pod.machine, targets);
    pod.sender->begin_life(kind);
    const auto plugged = node.plug_in(*pod.machine, {.index = story().index});
    ASSERT_TRUE(plugged) << plugged.error().message;
    pod.taps = tap(*pod.machine);
    if (!peers_.empty())
        return;
    for (const char* name : {"web", "scan"}) {
        const lab::Machine& peer = world_->machine(name);
        peers_.push_back(
            std::make_unique<lab::EarlySender>(peer, to_all_ports(peer, *pod.machine)));
        peers_.back()->begin_life(peers_life + peers_.size());
    }
}

void AddressReuse::unplug(Kind kind)
{
    world_->node().unplug(*pods_.at(kind).machine);
    look();
    pods_.at(kind) = {};
    world_->node().remove_pod(name_of_kind.at(kind));
}

void AddressReuse::tell(const std::vector<Kind>& kinds)
{
    for (const Kind kind : {red, blue})
        inventory_.remove(name_of_kind.at(kind));
    for (const Kind kind : kinds)
        inventory_.add({.pod_namespace = "ops",
                        .name = name_of_kind.at(kind),
                        .labels = fmt::format("{{app: {}}}", name_of_kind.at(kind)),
                        .addresses = {fmt::format("10.1.0.{}", number)},
                        .created = kind == red ? story().red_created : "2024-05-01T10:00:00Z"});
    world_->describe(inventory_);
    EXPECT_EQ(world_->agent().settle().exit, exit_ok);
}

void AddressReuse::take(Step step)
{
    switch (step) {
    case red_unplugged:
        return unplug(red);
    case blue_plugged:
        return plug(blue);
    case nothing_told:
        return tell({});
    case both_told:
        return tell({red, blue});
    case blue_told:
        return tell({blue});
    }
}

void AddressReuse::look()
{
    const auto judge = [this](const lab::Stamp& stamp, const std::string& stream, Kind may,
                              Kind does) {
        if (stamp.sent_ns < since_ns_)
            return;
        ++(may == does ? right_[stream] : wrong_);
        if (may != does)
            last_wrong_ = fmt::format("{} by {}'s port", stream, name_of_kind.at(does));
    };
    for (const Kind by : {red, blue}) {
        for (const auto& [name, taps] : receivers_)
            for (const lab::Stamp& stamp : taps.at(by).take())
                judge(stamp, fmt::format("{} to {}", name_of_kind.at(stamp.life), name),
                      static_cast<Kind>(stamp.life), by);
        for (const Kind kind : {red, blue}) {
            if (pods_.at(kind).taps.empty())
                continue;
            for (const lab::Stamp& stamp : pods_.at(kind).taps.at(by).take())
                if (stamp.life > peers_life) // else it is one that the pod sends
                    judge(stamp,
                          fmt::format("{} to {}", stamp.life == peers_life + 1 ? "web" : "scan",
                                      name_of_kind.at(kind)),
                          kind, by);
        }
    }
}

void AddressReuse::look_for_a_while()
{
    for (const auto& sender : peers_) {
        const uint64_t until = sender->sent() + a_while;
        EXPECT_TRUE(lab::eventually([&] {
            look();
            return sender->sent() > until;
        }));
    }
}

testing::AssertionResult AddressReuse::talks()
{
    right_.clear();
    if (lab::eventually([this] {
            look();
            return right_.size() == 4;
        }))
        return testing::AssertionSuccess();
    auto failure = testing::AssertionFailure() << "only these arrive:";
    for (const auto& [stream, count] : right_)
        failure << " " << stream << ";";
    return failure << "\n" << world_->agent().ask({"endpoint", "list"});
}

class KnownInterfaces : public AddressReuse {};

// By links, those in which programs are at stake.
std::vector<std::tuple<std::string, Story>> ways()
{
    std::vector<std::tuple<std::string, Story>> all;
    for (const Story& story : stories) {
        all.emplace_back("clsact", story);
        if (lab::kernel_has_tcx() && story.index != 0)
            all.emplace_back("tcx", story);
    }
    return all;
}
INSTANTIATE_TEST_SUITE_P(Agent, KnownInterfaces, testing::ValuesIn(ways()), [](const auto& test) {
    return fmt::format("{}_{}", std::get<0>(test.param), std::get<1>(test.param).name);
});

TEST_P(KnownInterfaces, NoPacketOfTheNextPodIsJudgedAsThoseOfTheLastOne)
{
    ASSERT_TRUE(start({"--pod-interfaces", "veth*"})) << world_->agent().process().err();
    plug(red);
    tell({red});
    ASSERT_TRUE(talks());
    EXPECT_EQ(wrong_, 0u) << last_wrong_;
    for (const Step step : story().steps) {
        take(step);
        look_for_a_while();
        EXPECT_EQ(wrong_, 0u) << last_wrong_ << " in step " << static_cast<int>(step);
    }
    EXPECT_TRUE(talks());
    EXPECT_EQ(wrong_, 0u) << last_wrong_;
}

// Without the option whoever has a pod's address is that pod until the inventory says otherwise.
class AnyInterfaces : public AddressReuse {
protected:
    void settle_on(const std::vector<Kind>& kinds)
    {
        tell(kinds);
        since_ns_ = lab::now_ns();
        wrong_ = 0;
        look_for_a_while();
        EXPECT_EQ(wrong_, 0u) << last_wrong_;
    }
};
INSTANTIATE_TEST_SUITE_P(
    Agent, AnyInterfaces,
    testing::Combine(testing::Values("clsact"),
                     testing::Values(Story{"AnyNumber", {}},
                                     Story{"SameNumber", {}, "2024-05-01T10:00:00Z", 5000})),
    [](const auto& test) { return std::get<1>(test.param).name; });

TEST_P(AnyInterfaces, OnceTheInventorySaysSoAnotherPodHasTheAddress)
{
    ASSERT_TRUE(start({})) << world_->agent().process().err();
    plug(red);
    tell({red});
    ASSERT_TRUE(talks());
    unplug(red);
    plug(blue);
    settle_on({blue});
    EXPECT_TRUE(talks());
}

TEST_P(AnyInterfaces, OnceTheInventorySaysSoAnotherPodHasTheInterface)
{
    ASSERT_TRUE(start({})) << world_->agent().process().err();
    plug(red);
    tell({red});
    ASSERT_TRUE(talks());
    // Who is behind the interface says nothing: the packets are those of blue from now on.
    std::swap(pods_[red], pods_[blue]);
    pods_[blue].sender->begin_life(blue);
    settle_on({blue});
    EXPECT_TRUE(talks());
}

// A pod of another node, played by the host outside: nothing but the inventory says who it is.
TEST_P(AnyInterfaces, OnceTheInventorySaysSoTheAddressOfAnotherNodesPodIsAnothers)
{
    ASSERT_TRUE(start({})) << world_->agent().process().err();
    const lab::Machine& outside = world_->machine("outside");
    const lab::Machine& scan = world_->machine("scan");
    lab::EarlySender sender(outside, to_all_ports(outside, world_->machine("db")));
    lab::EarlySender peer(scan, to_all_ports(scan, outside));
    peer.begin_life(peers_life); // its packets, of all that the tap hears
    const auto taps = tap(outside);
    const auto arrived = [&](Kind by) { // since then, at db and from scan
        const auto count = [this](const std::vector<lab::Stamp>& stamps, uint64_t life) {
            return static_cast<size_t>(std::ranges::count_if(stamps, [&](const auto& stamp) {
                return stamp.sent_ns >= since_ns_ && stamp.life == life;
            }));
        };
        return std::array{count(receivers_.at("db").at(by).take(), 0),
                          count(taps.at(by).take(), peers_life)};
    };
    for (const Kind kind : {red, blue, red}) {
        const Kind other = kind == red ? blue : red;
        inventory_.add({.pod_namespace = "ops",
                        .name = "far",
                        .labels = fmt::format("{{app: {}}}", name_of_kind.at(kind)),
                        .addresses = {outside.v4},
                        .node = "node-2"});
        world_->describe(inventory_);
        ASSERT_EQ(world_->agent().settle().exit, exit_ok);
        since_ns_ = lab::now_ns();
        std::array<size_t, 2> right{};
        std::array<size_t, 2> wrong{};
        const uint64_t until = sender.sent() + a_while;
        EXPECT_TRUE(lab::eventually([&] {
            const auto may = arrived(kind);
            const auto may_not = arrived(other);
            for (const size_t side : {0, 1}) {
                right.at(side) += may.at(side);
                wrong.at(side) += may_not.at(side);
            }
            return sender.sent() > until && right[0] > 0 && right[1] > 0;
        })) << right[0]
            << " and " << right[1] << " arrive";
        EXPECT_EQ(wrong, (std::array<size_t, 2>{}));
    }
}

} // namespace
} // namespace system_test
