// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.h"
#include "system/world.h"

#include <algorithm>
#include <chrono>
#include <gmock/gmock.h>

namespace system_test {
namespace {

// An agent whose monotonic clock is months ahead of the kernel's programs', as in the time
// namespace of a container that has moved from an older machine.
class Clock : public OnRoutedPods {
protected:
    void SetUp() override
    {
        ASSERT_NO_FATAL_FAILURE(OnRoutedPods::SetUp());
        (void)agent().stop();
        agent().start_by({"unshare", "--time", "--monotonic", "10000000"});
        ASSERT_TRUE(agent().start()) << agent().process().err();
    }
    void TearDown() override
    {
        (void)agent().stop();
        agent().start_by({});
    }
    auto open(uint16_t port)
    {
        return lab::open_connection(world_->machine("web"), world_->machine("db"), Family::v4,
                                    Transport::tcp, port);
    }
    size_t flows_to(int port)
    {
        const auto list =
            agent().ask({"flow", "list", "--port", std::to_string(port), "-o", "jsonl"});
        return static_cast<size_t>(std::ranges::count(list, '\n'));
    }
};

TEST_F(Clock, OfATimeNamespaceEndsNoOpenConnection)
{
    // What the server says first passes by the open connection alone.
    enforce({policy("shop/db", "{podSelector: {matchLabels: {app: db}}, policyTypes: "
                               "[Ingress, Egress], ingress: [{}]}")});
    const auto kept = open(7001);
    ASSERT_TRUE(kept);
    {
        const auto closed = open(7002);
        ASSERT_TRUE(closed);
        ASSERT_GT(flows_to(7002), 0u);
    }
    // It is swept ten seconds later: by then the agent has looked at all of them.
    ASSERT_TRUE(lab::eventually([this] { return flows_to(7002) == 0; }, std::chrono::seconds(40)));
    EXPECT_GT(flows_to(7001), 0u);
    EXPECT_TRUE(kept->carries_to_client());
    EXPECT_TRUE(kept->carries_to_server());
}

TEST_F(Clock, OfATimeNamespaceDatesNoRecord)
{
    const auto seconds = [] {
        return std::chrono::duration_cast<std::chrono::seconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    };
    const auto before = seconds();
    ASSERT_EQ(world_->enforce({policy("shop/db", "{podSelector: {matchLabels: {app: db}}}")}).exit,
              exit_ok);
    EXPECT_TRUE(traffic({no("web", "db", 80)}));
    EXPECT_TRUE(lab::eventually([&] {
        const auto seen = agent().ask({"observe", "--last", "1", "--type", "drop", "-o", "jsonl"});
        const std::string mark = "\"time\":\"";
        const size_t at = seen.find(mark);
        if (at == std::string::npos)
            return false;
        const size_t begin = at + mark.size();
        const auto time = ebpfd::parse_rfc3339(seen.substr(begin, seen.find('"', begin) - begin));
        return time && *time / 1'000'000'000 >= before - 1 &&
               *time / 1'000'000'000 <= seconds() + 1;
    }));
}

} // namespace
} // namespace system_test
