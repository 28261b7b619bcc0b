// SPDX-License-Identifier: Apache-2.0
#include "lab/environment.h"
#include "system/under_load.h"

#include <array>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <iostream>

namespace system_test {
namespace {

using namespace std::chrono_literals;

constexpr uint16_t moving_port = 7100; // allowed by either side, by a rule of its own
constexpr std::array<uint16_t, 2> guarded{7101, 7102};  // allowed by one side, and denied before it
constexpr std::array<uint16_t, 2> opposite{7103, 7104}; // out by one side, in by the other

std::string both_protocols(uint16_t port)
{
    return fmt::format("{{port: {}}}, {{protocol: UDP, port: {}}}", port, port);
}

std::string document(const std::string& name, const std::string& app, const std::string& rules)
{
    return policy("shop/" + name,
                  fmt::format("{{podSelector: {{matchLabels: {{app: {}}}}}, {}}}", app, rules))
               .text +
           "---\n";
}

// Two opposite policies, renamed into place in turns under real traffic. What both allow by other
// rules never fails, and what neither allows never passes.
class SwapUnderLoad : public UnderLoad {
protected:
    // Side by side in one file, which is read as a whole.
    PolicyFile side(size_t i)
    {
        const lab::Machine& web = machine("web");
        const std::string from_web =
            i == 0 ? "{podSelector: {matchLabels: {app: web}}}"
                   : fmt::format("{{ipBlock: {{cidr: '{}/32'}}}}, {{ipBlock: {{cidr: '{}/128'}}}}",
                                 web.v4, web.v6);
        const std::string from_scan =
            "{namespaceSelector: {}, podSelector: {matchLabels: {app: scan}}}";
        const std::string name = i == 0 ? "first" : "second";
        return {
            "swap.yaml",
            document(name + "-in", "db",
                     fmt::format("ingress: [{{from: [{}], ports: [{}, {}]}}, {{from: [{}], "
                                 "ports: [{}]}}]",
                                 from_web, both_protocols(moving_port),
                                 both_protocols(opposite.at(1 - i)), from_scan,
                                 both_protocols(guarded.at(i)))) +
                document(name + "-out", "web",
                         fmt::format("policyTypes: [Egress], egress: [{{ports: [{}, {}]}}]",
                                     both_protocols(moving_port), both_protocols(opposite.at(i)))) +
                guard(name + "-guard", guarded.at(i)).text + "---\n"};
    }
    void put(size_t i)
    {
        const PolicyFile file = side(i);
        replace_file(agent().policies() / file.name, file.text);
    }
    void prepare_load()
    {
        put(0);
        for (const Transport transport : {Transport::tcp, Transport::udp}) {
            load().make_new(route("web", "db", transport, moving_port), 2ms);
            for (const uint16_t port : guarded)
                load().try_refused(route("scan", "db", transport, port), 2ms);
            for (const uint16_t port : opposite)
                load().try_refused(route("web", "db", transport, port), 2ms);
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Policy, SwapUnderLoad, testing::ValuesIn(every_way_once()), load_name);

TEST_P(SwapUnderLoad, EveryPacketIsJudgedByOnePolicyAsAWhole)
{
    const size_t swaps = lab::count_of("EBPFD_SWAPS", 200);
    prepare_load();
    ASSERT_TRUE(begin()) << agent().process().err();
    for (size_t i = 1; i <= swaps; ++i) {
        const uint32_t before = generation();
        put(i % 2);
        ASSERT_TRUE(lab::eventually([&] { return generation() != before; })) << "swap " << i;
        ASSERT_EQ(generation(), before + 1);
    }
    const auto counts = load().finish();
    EXPECT_TRUE(is_well());
    EXPECT_EQ(counts.retransmitted, 0u);
    std::cout << fmt::format("{} swaps; {}\n", swaps, fmt::streamed(counts));
}

} // namespace
} // namespace system_test
