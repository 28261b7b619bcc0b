// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.h"
#include "system/world.h"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace system_test {
namespace {

using namespace std::chrono_literals;
using testing::SizeIs;
using Json = nlohmann::json;

constexpr uint16_t kept_port = 7001;
constexpr int64_t second_ns = 1'000'000'000;

int64_t wall_clock()
{
    return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

void move_clock(std::chrono::seconds by)
{
    timespec now{};
    ASSERT_EQ(clock_gettime(CLOCK_REALTIME, &now), 0);
    now.tv_sec += by.count();
    ASSERT_EQ(clock_settime(CLOCK_REALTIME, &now), 0);
}

// The wall clock is set, by days, under an agent at work. It is one for the whole machine, so that
// this is for machines of the test's own: tests/vm/run_command says that it is one.
class ClockJump : public OnRoutedPods, public testing::WithParamInterface<int> {
protected:
    void SetUp() override
    {
        if (std::getenv("EBPFD_OWN_MACHINE") == nullptr)
            GTEST_SKIP() << "it sets the machine's clock: in tests/vm, or by EBPFD_OWN_MACHINE=1";
        ASSERT_NO_FATAL_FAILURE(OnRoutedPods::SetUp());
        (void)agent().stop();
        // Rotated every few records.
        ASSERT_TRUE(agent().start({"--flow-log", log(), "--flow-log-max-bytes", "4096"}))
            << agent().process().err();
    }
    void TearDown() override
    {
        if (world_ == nullptr)
            return;
        move_clock(-moved_);
        (void)agent().stop();
    }
    std::filesystem::path log() { return agent().root() / "flows.jsonl"; }
    void jump(std::chrono::seconds by)
    {
        move_clock(by);
        moved_ += by;
    }
    Json asked(lab::Argv question)
    {
        question.insert(question.end(), {"-o", "json"});
        return Json::parse(agent().ask(question), nullptr, false);
    }
    // Whether it is now, give or take what the test has taken.
    static testing::AssertionResult is_recent(const Json& row, const char* field)
    {
        const auto time = ebpfd::parse_rfc3339(row.value(field, ""));
        const int64_t age = time ? wall_clock() - *time : -1;
        if (time && age > -second_ns && age < 300 * second_ns)
            return testing::AssertionSuccess();
        return testing::AssertionFailure() << field << " in " << row.dump();
    }
    // A refusal, told by a record of the new time, which is the last one.
    bool refusal_is_told_as_of_now()
    {
        return lab::eventually([this] {
            if (!traffic({no("web", "db", 9)}))
                return false;
            const Json last = asked({"observe", "--last", "1", "--type", "drop"});
            return last.is_array() && last.size() == 1 && is_recent(last[0], "time");
        });
    }
    // In the newest file: which may be a new one since.
    bool log_has_refusal_of_now()
    {
        return lab::eventually([this] {
            if (!traffic({no("web", "db", 9)}))
                return false;
            std::ifstream in(log());
            for (std::string line; std::getline(in, line);)
                if (const Json row = Json::parse(line, nullptr, false);
                    row.is_object() && row.value("type", "") == "drop" && is_recent(row, "time"))
                    return true;
            return false;
        });
    }
    auto open()
    {
        return lab::open_connection(world_->machine("web"), world_->machine("db"), Family::v4,
                                    Transport::tcp, kept_port);
    }
    Json flows() { return asked({"flow", "list", "--port", std::to_string(kept_port)}); }

private:
    std::chrono::seconds moved_{};
};
INSTANTIATE_TEST_SUITE_P(, ClockJump, testing::Values(400, -400),
                         [](const auto& days) { return days.param > 0 ? "Forward" : "Back"; });

TEST_P(ClockJump, ChangesNothingButTimes)
{
    // What the server says passes by the open connection alone.
    const auto always =
        policy("shop/always", "{podSelector: {matchLabels: {app: db}}, policyTypes: "
                              "[Ingress, Egress], ingress: [{ports: [{port: 7001}]}]}");
    enforce({always, db_allows(8080)});
    ASSERT_TRUE(lab::eventually([this] { return flows().empty(); }, 60s)); // of the test before
    const auto kept = open();
    ASSERT_TRUE(kept && kept->carries_to_server());
    const size_t flows_of_kept = flows().size();
    EXPECT_TRUE(refusal_is_told_as_of_now());

    jump(std::chrono::days(GetParam()));
    // At once: nothing waits for a time that is days away.
    replace_file(agent().policies() / db_allows(80).name, db_allows(80).text);
    EXPECT_TRUE(lab::eventually([this] { return static_cast<bool>(db_has_open(80, 8080)); }));
    std::ofstream(agent().policies() / db_allows(80).name) << db_allows(8080).text; // in place
    EXPECT_TRUE(lab::eventually([this] { return static_cast<bool>(db_has_open(8080, 80)); }));
    EXPECT_TRUE(refusal_is_told_as_of_now());
    std::filesystem::remove(log().string() + ".1");
    EXPECT_TRUE(log_has_refusal_of_now());
    const auto rotated = [this] {
        return traffic({no("web", "db", 9)}) && std::filesystem::exists(log().string() + ".1");
    };
    EXPECT_TRUE(lab::eventually(rotated, 60s));
    const auto status = agent().ctl({"status"});
    EXPECT_EQ(status.exit, exit_ok) << status.out;
    EXPECT_TRUE(is_recent(asked({"status"})["last_apply"], "time"));

    EXPECT_TRUE(kept->carries_to_client());
    EXPECT_TRUE(kept->carries_to_server());
    const Json list = flows();
    ASSERT_THAT(list, SizeIs(flows_of_kept));
    for (const Json& flow : list) {
        EXPECT_GE(flow["idle_seconds"], 0);
        EXPECT_LT(flow["idle_seconds"], 60);
        EXPECT_TRUE(is_recent(flow, "opened"));
    }
    // One that ends is swept ten seconds later: by then the agent has looked at all of them.
    ASSERT_TRUE(open());
    EXPECT_GT(flows().size(), flows_of_kept);
    EXPECT_TRUE(lab::eventually([&] { return flows().size() == flows_of_kept; }, 60s));
    EXPECT_TRUE(kept->carries_to_client());
}

} // namespace
} // namespace system_test
