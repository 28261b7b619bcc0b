// SPDX-License-Identifier: Apache-2.0
#include "kernel/map.h"
#include "lab/environment.h"
#include "system/under_load.h"

#include <filesystem>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <gmock/gmock.h>
#include <iostream>
#include <thread>

namespace system_test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// From an agent whose maps had another layout (tests/upgrade/build), and back, while pods talk.
class UpgradeUnderLoad : public UnderLoad {
protected:
    void SetUp() override
    {
        if (!std::filesystem::exists(EBPFD_PREVIOUS_PROGRAM))
            GTEST_SKIP() << "tests/upgrade/build has not built " << EBPFD_PREVIOUS_PROGRAM;
        UnderLoad::SetUp();
    }
    void use_previous()
    {
        agent().start_by({"sh", "-c", "shift; exec " EBPFD_PREVIOUS_PROGRAM " \"$@\"", "sh"});
    }
    void use_this() { agent().start_by({}); }
    // By the previous agent, whose programs are in all places.
    bool begin_with_previous()
    {
        use_previous();
        return begin();
    }
    uint32_t layout() const
    {
        const auto state = ebpfd::Map<uint32_t, datapath_state>::open_pinned(
            world_->agent().bpffs() / "maps", "state");
        const auto value = state ? state->lookup(0) : std::unexpected(state.error());
        return value && *value ? (*value)->layout : 0;
    }
    uint64_t refused() const { return load_->counts().refused; }
};
INSTANTIATE_TEST_SUITE_P(Agent, UpgradeUnderLoad, testing::ValuesIn(every_way_once()), load_name);

TEST_P(UpgradeUnderLoad, EverythingGoesOn)
{
    ASSERT_TRUE(begin_with_previous()) << agent().process().err();
    const auto links = ids_in(agent().bpffs() / "links");
    const auto maps = ids_in(agent().bpffs() / "maps");
    const auto programs = ids_in(agent().bpffs() / "progs");
    ASSERT_NE(layout(), uint32_t{DATAPATH_LAYOUT});
    ASSERT_TRUE(lab::eventually([this] { return refused() > 200; }));

    EXPECT_EQ(agent().stop(), exit_ok);
    const auto before = refused();
    use_this();
    ASSERT_TRUE(start()) << agent().process().err();
    ASSERT_TRUE(is_attached());
    EXPECT_EQ(layout(), uint32_t{DATAPATH_LAYOUT});
    EXPECT_EQ(ids_in(agent().bpffs() / "links"), links);
    for (const auto& [name, id] : ids_in(agent().bpffs() / "progs"))
        EXPECT_TRUE(!programs.contains(name) || id != programs.at(name)) << name;
    const std::set<std::string> other{"closed_map", "counter_map", "pod_health_map"};
    for (const auto& [name, id] : ids_in(agent().bpffs() / "maps"))
        EXPECT_EQ(!maps.contains(name) || id != maps.at(name), other.contains(name)) << name;
    EXPECT_TRUE(is_well());
    EXPECT_GE(statistics().denied("db") + statistics().denied("web"), before);

    const auto counts = load().finish();
    EXPECT_TRUE(is_well());
    EXPECT_EQ(counts.retransmitted, 0u);
    EXPECT_EQ(statistics().opened("db"), counts.open + counts.made);
    std::cout << fmt::format("upgrade; {}\n", fmt::streamed(counts));
}

TEST_P(UpgradeUnderLoad, OneThatIsKilledIsDoneByTheNextStart)
{
    const size_t kills = lab::count_of("EBPFD_RESTARTS", 3);
    ASSERT_TRUE(begin_with_previous()) << agent().process().err();
    EXPECT_EQ(agent().stop(), exit_ok);
    use_this();
    for (size_t i = 0; i < kills; ++i) {
        launch();
        std::this_thread::sleep_for(any_time(700)); // the moment itself is what is tried
        kill_agent();
    }
    ASSERT_TRUE(start()) << agent().process().err();
    ASSERT_TRUE(is_attached());
    EXPECT_EQ(layout(), uint32_t{DATAPATH_LAYOUT});
    const auto counts = load().finish();
    EXPECT_TRUE(is_well());
    EXPECT_EQ(statistics().opened("db"), counts.open + counts.made);
    std::cout << fmt::format("{} kills in an upgrade; {}\n", kills, fmt::streamed(counts));
}

TEST_P(UpgradeUnderLoad, ADowngradeIsRefusedAndThePolicyStaysInForce)
{
    ASSERT_TRUE(begin()) << agent().process().err();
    EXPECT_EQ(agent().stop(), exit_ok);
    const auto programs = ids_in(agent().bpffs() / "progs");
    use_previous();
    launch();
    ASSERT_TRUE(lab::eventually([this] { return !agent().running(); }));
    EXPECT_THAT(agent().process().err(), HasSubstr("ebpfd --detach"));
    EXPECT_EQ(ids_in(agent().bpffs() / "progs"), programs);
    const auto before = refused();
    EXPECT_TRUE(lab::eventually([&] { return refused() > before + 50; }));
    EXPECT_TRUE(is_well());
    use_this();
    ASSERT_TRUE(start()) << agent().process().err();
    const auto counts = load().finish();
    EXPECT_TRUE(is_well());
    std::cout << fmt::format("downgrade; {}\n", fmt::streamed(counts));
}

} // namespace
} // namespace system_test
