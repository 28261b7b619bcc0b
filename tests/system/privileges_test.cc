// SPDX-License-Identifier: Apache-2.0
#include "lab/kernel.h"
#include "system/world.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <map>
#include <sstream>

namespace system_test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr uint64_t bit(int capability)
{
    return uint64_t{1} << capability;
}
constexpr uint64_t running = bit(CAP_BPF) | bit(CAP_NET_ADMIN);

// What the kernel says of one thread.
struct Thread {
    uint64_t permitted = 0;
    uint64_t effective = 0;
    uint64_t bounding = 0;
    std::string no_new_privs;
    std::string seccomp;
};

Thread read_thread(const fs::path& folder)
{
    std::ifstream file(folder / "status");
    std::map<std::string, std::string> fields;
    for (std::string name, value; file >> name && std::getline(file >> std::ws, value);)
        fields[name] = value;
    const auto number = [&](const char* name) { return std::stoull(fields[name], nullptr, 16); };
    return {number("CapPrm:"), number("CapEff:"), number("CapBnd:"), fields["NoNewPrivs:"],
            fields["Seccomp:"]};
}

std::vector<Thread> threads_of(pid_t pid)
{
    std::vector<Thread> out;
    for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/task", pid)))
        out.push_back(read_thread(entry.path()));
    return out;
}

// The value of a key of the unit that is delivered.
std::string of_unit(const std::string& key)
{
    std::ifstream unit(EBPFD_SOURCES "/deploy/ebpfd.service");
    for (std::string line; std::getline(unit, line);)
        if (line.starts_with(key + "="))
            return line.substr(key.size() + 1);
    return {};
}

// With the unit's capabilities and no more.
lab::Argv as_the_unit()
{
    std::string set = "-all";
    std::istringstream names(of_unit("CapabilityBoundingSet"));
    for (std::string name; names >> name;) {
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        set += ",+" + name.substr(std::string_view("cap_").size());
    }
    return {"setpriv", "--bounding-set", set, "--inh-caps", "-all", "--no-new-privs"};
}

lab::Finished as_nobody(lab::Argv command)
{
    const lab::Argv drop{"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"};
    command.insert(command.begin(), drop.begin(), drop.end());
    return lab::run(command);
}

class Privileges : public OnNode {
protected:
    void TearDown() override
    {
        if (world_ == nullptr)
            return;
        agent().start_by({});
        (void)agent().stop();
        (void)agent().detach();
    }
    static PolicyFile allows(uint16_t port)
    {
        return policy("shop/db", fmt::format("{{podSelector: {{}}, ingress: [{{ports: [{{port: "
                                             "{}}}]}}]}}",
                                             port));
    }
    // All that an agent does after its start: changes, pods that come and go, questions, records.
    void exercise()
    {
        enforce({allows(80)});
        EXPECT_TRUE(traffic({yes("web", "db", 80), no("web", "db", 8080)}));
        enforce({allows(8080)});
        EXPECT_TRUE(traffic({yes("web", "db", 8080), no("web", "db", 80)}));
        const auto late = node().add_pod("late", 50);
        ASSERT_TRUE(late) << late.error().message;
        ASSERT_TRUE(world_->serve(**late));
        inventory_.add({.pod_namespace = "shop",
                        .name = "late",
                        .labels = "{app: late}",
                        .addresses = {"10.1.0.50", "fd00:1::50"}});
        describe(inventory_);
        EXPECT_TRUE(traffic({yes("web", "late", 8080), no("web", "late", 80)}));
        EXPECT_TRUE(lab::eventually([&] {
            return agent().ask({"observe", "--last", "50", "-o", "jsonl"}).find("shop") !=
                   std::string::npos;
        }));
        for (const auto* question : {"coverage", "list"})
            EXPECT_EQ(agent().ctl({"policy", question}).exit, exit_ok) << question;
        node().remove_pod("late");
        inventory_.remove("late");
        describe(inventory_);
    }
    void expect_no_refusals()
    {
        EXPECT_THAT(agent().process().err(), Not(HasSubstr("refused by its own filter")));
    }
};
INSTANTIATE_TEST_SUITE_P(Agent, Privileges, testing::Values(std::tuple(Wiring::routed, Family::v4)),
                         node_name);

TEST_P(Privileges, AreGivenUpOnceTheAgentEnforces)
{
    size_t with = 0;
    for (const Thread& thread : threads_of(agent().process().pid())) {
        EXPECT_EQ(thread.permitted, thread.effective);
        EXPECT_TRUE(thread.effective == 0 || thread.effective == running) << thread.effective;
        EXPECT_EQ(thread.bounding, 0u);
        EXPECT_EQ(thread.no_new_privs, "1");
        EXPECT_EQ(thread.seccomp, "2");
        with += thread.effective == running ? 1 : 0;
    }
    EXPECT_LE(with, 2u) << "the main loop, and where links take over from filters";
    exercise();
    expect_no_refusals();
}

TEST_P(Privileges, AreKeptWithoutTheSandbox)
{
    ASSERT_EQ(agent().stop(), exit_ok);
    ASSERT_TRUE(agent().start({"--sandbox", "off"}));
    const Thread main = read_thread(fmt::format("/proc/{}", agent().process().pid()));
    EXPECT_EQ(main.seccomp, "0");
    EXPECT_NE(main.effective & bit(CAP_SYS_ADMIN), 0u);
}

// Attached in each way, changed, restarted: an adopted filter is known for ours.
TEST_P(Privileges, OfTheUnitSuffice)
{
    std::vector<std::string> ways{"clsact"};
    if (lab::kernel_has_tcx())
        ways.emplace_back("tcx");
    agent().start_by(as_the_unit());
    for (const std::string& way : ways) {
        ASSERT_EQ(agent().stop(), exit_ok);
        ASSERT_EQ(agent().detach().exit, exit_ok);
        for (int start = 0; start < 2; ++start) {
            ASSERT_TRUE(agent().start({"--attach", way})) << agent().process().err();
            const Thread main = read_thread(fmt::format("/proc/{}", agent().process().pid()));
            EXPECT_EQ(main.effective, running);
            exercise();
            expect_no_refusals();
            EXPECT_THAT(agent().process().err(), Not(HasSubstr("comes before ours")));
            ASSERT_EQ(agent().stop(), exit_ok);
        }
    }
}

// From one way of attaching to the other, without the right to look at other programs' maps.
TEST_P(Privileges, OfTheUnitSufficeToChangeTheWayOfAttaching)
{
    if (!lab::kernel_has_tcx())
        return;
    agent().start_by(as_the_unit());
    for (const auto* way : {"clsact", "tcx", "clsact"}) {
        ASSERT_EQ(agent().stop(), exit_ok);
        ASSERT_TRUE(agent().start({"--attach", way})) << agent().process().err();
        exercise();
        EXPECT_THAT(agent().process().err(), Not(HasSubstr("comes before ours"))) << way;
    }
}

// A start that ended after its programs were attached and before they got their names.
TEST_P(Privileges, OfTheUnitSufficeAfterAStartThatWasCutShort)
{
    agent().start_by(as_the_unit());
    ASSERT_EQ(agent().stop(), exit_ok);
    ASSERT_EQ(agent().detach().exit, exit_ok);
    ASSERT_TRUE(agent().start({"--attach", "clsact"})) << agent().process().err();
    ASSERT_EQ(agent().stop(), exit_ok);
    std::vector<fs::path> pins;
    std::ranges::copy(fs::directory_iterator(agent().bpffs() / "progs"), std::back_inserter(pins));
    ASSERT_FALSE(pins.empty());
    for (const auto& pin : pins)
        fs::rename(pin, pin.string() + "-next");
    ASSERT_TRUE(agent().start({"--attach", "clsact"})) << agent().process().err();
    EXPECT_THAT(agent().process().err(), Not(HasSubstr("comes before ours")));
    for (const auto& entry : fs::directory_iterator(agent().bpffs() / "progs"))
        EXPECT_EQ(entry.path().filename().string().find('-'), std::string::npos) << entry.path();
    exercise();
}

TEST_P(Privileges, EveryOneOfTheUnitIsNeeded)
{
    ASSERT_EQ(agent().stop(), exit_ok);
    std::istringstream names(of_unit("CapabilityBoundingSet"));
    for (std::string name; names >> name;) {
        lab::Argv command = as_the_unit();
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        command[2] += ",-" + name.substr(std::string_view("cap_").size());
        std::ranges::copy(agent().command(), std::back_inserter(command));
        const auto ended = lab::run(command, machine("node").netns.path());
        EXPECT_EQ(ended.exit, exit_failed) << name;
        EXPECT_THAT(ended.err, HasSubstr("lacks")) << name;
    }
}

// A user of the node without any rights.
TEST_P(Privileges, OfOthersReachNothing)
{
    enforce({allows(80)});
    fs::permissions(agent().root(), fs::perms{0755}); // the tests' own folder hides nothing
    const auto mode = [](const fs::path& path) {
        return static_cast<unsigned>(fs::status(path).permissions()) & 0777u;
    };
    EXPECT_EQ(mode(agent().runtime()), 0700u);
    EXPECT_EQ(mode(agent().runtime() / "ebpfd.sock"), 0600u);
    EXPECT_EQ(mode(agent().bpffs()), 0700u);
    size_t pins = 0;
    for (const auto& entry : fs::recursive_directory_iterator(agent().bpffs())) {
        EXPECT_EQ(mode(entry.path()), entry.is_directory() ? 0700u : 0600u) << entry.path();
        ++pins;
    }
    EXPECT_GT(pins, 10u);
    const std::string pid = std::to_string(agent().process().pid());
    EXPECT_NE(as_nobody({"kill", "-KILL", pid}).exit, exit_ok);
    EXPECT_NE(as_nobody({"ls", agent().bpffs()}).exit, exit_ok);
    EXPECT_NE(as_nobody({"ls", agent().runtime()}).exit, exit_ok);
    EXPECT_NE(as_nobody({"cat", "/proc/" + pid + "/mem"}).exit, exit_ok);
    EXPECT_NE(as_nobody({"ls", "-l", "/proc/" + pid + "/fd/"}).exit, exit_ok);
    // Even where folders let everybody in, the socket does not.
    fs::permissions(agent().runtime(), fs::perms{0755});
    for (const auto* question : {"status", "observe"})
        EXPECT_EQ(as_nobody({EBPFCTL_PROGRAM, "--runtime-dir", agent().runtime(), "--bpffs",
                             agent().bpffs(), question})
                      .exit,
                  exit_permission)
            << question;
    EXPECT_EQ(as_nobody({EBPFCTL_PROGRAM, "--runtime-dir", agent().runtime(), "--bpffs",
                         agent().bpffs(), "flow", "list"})
                  .exit,
              exit_permission);
    EXPECT_TRUE(agent().running());
    EXPECT_TRUE(traffic({yes("web", "db", 80), no("web", "db", 8080)}));
}

} // namespace
} // namespace system_test
