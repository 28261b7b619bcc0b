// SPDX-License-Identifier: Apache-2.0
#include "system/under_load.h"

#include "base/fd.h"
#include "lab/environment.h"
#include "lab/kernel.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <nlohmann/json.hpp>

namespace system_test {
namespace {

using namespace std::chrono_literals;

constexpr int pods = 4;

// A rule that decides nothing about the load's ports.
std::string rule_of(uint16_t port)
{
    return fmt::format("{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{ports: [{{port: "
                       "{}}}]}}]}}",
                       port);
}

lab::Argv options(const std::string& attach, uint32_t max_flows)
{
    return {"--attach",    attach, "--max-flows", std::to_string(max_flows),
            "--max-peers", "4096", "--max-cidrs", "4096",
            "--max-ports", "4096", "--max-rules", "1024",
            "--hooks",     "none"};
}

// What was read; an error fails the test.
template <class T> T read(ebpfd::Result<T> result)
{
    if (result)
        return std::move(*result);
    ADD_FAILURE() << result.error().message;
    return T{};
}

} // namespace

PolicyFile guard(const std::string& name, uint16_t port)
{
    return {name + ".yaml",
            fmt::format("apiVersion: policy.networking.k8s.io/v1alpha2\n"
                        "kind: ClusterNetworkPolicy\nmetadata: {{name: {}}}\nspec:\n"
                        "  tier: Admin\n  priority: 1\n"
                        "  subject: {{pods: {{namespaceSelector: {{}}, podSelector: {{matchLabels: "
                        "{{app: db}}}}}}}}\n"
                        "  ingress:\n  - action: Deny\n    from: [{{namespaces: {{}}}}]\n"
                        "    protocols: [{{tcp: {{destinationPort: {{number: {}}}}}}}, "
                        "{{udp: {{destinationPort: {{number: {}}}}}}}]\n",
                        name, port, port)};
}

uint64_t Statistics::opened(const std::string& policy) const
{
    uint64_t sum = 0;
    for (const auto& [name, hits] : rules)
        sum += name.starts_with(policy + " ") ? hits.allowed : 0;
    return sum;
}

uint64_t Statistics::denied(const std::string& pod) const
{
    uint64_t sum = 0;
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS})
        for (uint32_t why = REASON_FIRST_DENIAL; why < REASON_COUNT; ++why) {
            const auto row = counters.find(fmt::format("{} {}", pod, counter_row(dir, why, 0)));
            sum += row == counters.end() ? 0 : row->second.packets;
        }
    return sum;
}

std::map<std::string, uint32_t> ids_in(const std::filesystem::path& folder)
{
    std::map<std::string, uint32_t> ids;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const ebpfd::Fd object(bpf_obj_get(entry.path().c_str()));
        std::array<uint32_t, 64> info{}; // of whatever kind: its type, then its id
        uint32_t size = sizeof(info);
        if (object && bpf_obj_get_info_by_fd(object.get(), info.data(), &size) == 0)
            ids[entry.path().filename()] = info[1];
    }
    return ids;
}

UnderLoad::UnderLoad() : random_(static_cast<unsigned>(lab::count_of("EBPFD_SEED", 1))) {}

lab::Route UnderLoad::route(const std::string& from, const std::string& to, Transport transport,
                            uint16_t port)
{
    return {&machine(from), &machine(to), transport, port};
}

std::vector<PolicyFile> UnderLoad::policies()
{
    const auto ports = fmt::format("ports: [{{port: {}}}, {{port: {}}}, {{protocol: UDP, port: "
                                   "{}}}]",
                                   open_port, new_port, new_port);
    return {policy("shop/db", fmt::format("{{podSelector: {{matchLabels: {{app: db}}}}, ingress: "
                                          "[{{from: [{{podSelector: {{matchLabels: {{app: web}}}}}}"
                                          "], {}}}]}}",
                                          ports)),
            policy("shop/web", fmt::format("{{podSelector: {{matchLabels: {{app: web}}}}, "
                                           "policyTypes: [Egress], egress: [{{to: [{{podSelector: "
                                           "{{matchLabels: {{app: db}}}}}}], {}}}]}}",
                                           ports)),
            change(0)};
}

PolicyFile UnderLoad::change(unsigned number)
{
    return policy("shop/change", rule_of(static_cast<uint16_t>(20000 + number)));
}

void UnderLoad::SetUp()
{
    world_ = World::make(Wiring::routed);
    ASSERT_NE(world_, nullptr);
    world_->describe(Inventory::of(world_->node()));
    for (const PolicyFile& file : policies())
        replace_file(agent().policies() / file.name, file.text);
    load_ = std::make_unique<lab::Load>(family());
    load_->keep_open(route("web", "db", Transport::tcp, open_port), connections);
    for (const Transport transport : {Transport::tcp, Transport::udp}) {
        load_->make_new(route("web", "db", transport, new_port), 10ms);
        load_->try_refused(route("scan", "db", transport, refused_port), 10ms);
        load_->try_refused(route("web", "api", transport, refused_port), 10ms);
    }
}

void UnderLoad::TearDown()
{
    load_.reset();
    world_.reset();
}

bool UnderLoad::begin()
{
    return start() && is_attached() && load_->start();
}

void UnderLoad::launch(const std::string& attach)
{
    agent().launch(options(attach, max_flows_));
}

bool UnderLoad::start(const std::string& attach)
{
    return agent().start(options(attach, max_flows_));
}

void UnderLoad::kill_agent()
{
    agent().process().signal(SIGKILL);
    ASSERT_TRUE(lab::eventually([this] { return !agent().running(); }));
}

bool UnderLoad::is_attached(const std::string& attach)
{
    const std::map<std::string, int> wanted{{"from_pod " + attach, pods},
                                            {"to_pod " + attach, pods}};
    return lab::eventually([&] { return attached() == wanted; });
}

std::map<std::string, int> UnderLoad::attached() const
{
    // Filters are seen from inside alone.
    const auto listed = lab::run(
        {EBPFCTL_PROGRAM, "--bpffs", world_->agent().bpffs(), "stats", "programs", "-o", "json"},
        world_->node().host().netns.path());
    const auto all = nlohmann::json::parse(listed.out, nullptr, false);
    std::map<std::string, int> counts;
    for (const auto& program : all.value("programs", nlohmann::json::array()))
        for (const auto& place : program["attached"])
            counts[fmt::format("{} {}", program["program"].get<std::string>(),
                               place["kind"].get<std::string>())] += place["count"].get<int>();
    return counts;
}

uint32_t UnderLoad::generation() const
{
    const auto maps = ebpfd::PinnedMaps::open(world_->agent().bpffs());
    const auto state = maps ? (*maps)->state() : std::unexpected(maps.error());
    return state ? state->generation : 0;
}

Statistics UnderLoad::statistics() const
{
    Statistics all;
    const auto maps = ebpfd::PinnedMaps::open(world_->agent().bpffs());
    if (!maps) {
        ADD_FAILURE() << maps.error().message;
        return all;
    }
    for (const auto& [number, info] : read((*maps)->rules()))
        all.rules[fmt::format("{} {} {} {}", info.policy, info.kind, info.index, info.direction)] =
            read((*maps)->hits(number));
    for (const auto& [ifindex, name] : read((*maps)->endpoint_names())) {
        const auto counted = read((*maps)->counters(name.index));
        for (size_t i = 0; i < std::size(counted.row); ++i)
            if (counted.row[i].packets != 0)
                all.counters[fmt::format("{} {}", name.pod, i)] = counted.row[i];
    }
    all.losses = read((*maps)->losses());
    return all;
}

testing::AssertionResult UnderLoad::is_well() const
{
    const auto counts = load_->counts();
    if (counts.late + counts.broken + counts.failed + counts.leaked == 0)
        return testing::AssertionSuccess();
    return testing::AssertionFailure() << counts;
}

lab::Milliseconds UnderLoad::any_time(int up_to)
{
    return lab::Milliseconds(std::uniform_int_distribution(0, up_to)(random_));
}

std::string load_name(const testing::TestParamInfo<std::tuple<std::string, Family>>& info)
{
    return fmt::format("{}_{}", std::get<0>(info.param), lab::name_of(std::get<1>(info.param)));
}

std::vector<std::tuple<std::string, Family>> ways_and_families()
{
    std::vector<std::tuple<std::string, Family>> all;
    for (const Family family : {Family::v4, Family::v6}) {
        all.emplace_back("clsact", family);
        if (lab::kernel_has_tcx())
            all.emplace_back("tcx", family);
    }
    return all;
}

std::vector<std::tuple<std::string, Family>> every_way_once()
{
    auto ways = ways_and_families();
    std::erase(ways, std::tuple(std::string("clsact"), Family::v6));
    std::erase(ways, std::tuple(std::string("tcx"), Family::v4));
    return ways;
}

} // namespace system_test
