// SPDX-License-Identifier: Apache-2.0
#include "kernel/pinned.h"

#include "kernel/libbpf_log.h"
#include "kernel/maps.h"
#include "kernel/pins.h"
#include "kernel/summary.h"
#include "kernel/trace_run.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <functional>

namespace ebpfd {

namespace {

class OpenedMaps : public PinnedMaps {
public:
    OpenedMaps(Pins pins, Maps maps) : pins_(std::move(pins)), maps_(std::move(maps)) {}

    Result<datapath_state> state() const override;
    Result<std::vector<MapSummary>> summaries() const override { return summarize(pins_.maps()); }
    Result<std::vector<std::pair<uint32_t, endpoint>>> endpoints() const override
    {
        return maps_.endpoints.entries();
    }
    Result<std::vector<std::pair<uint32_t, endpoint_name>>> endpoint_names() const override
    {
        return maps_.names.entries();
    }
    Result<std::vector<std::pair<IpAddress, identity_slots>>> addresses() const override;
    Result<std::vector<std::pair<service_key, identity_slots>>> services() const override
    {
        return maps_.services.entries();
    }
    Result<std::map<uint32_t, rule_info>> rules() const override;
    Result<ruleset> get_ruleset(uint32_t number) const override;
    Result<std::vector<std::pair<uint32_t, ruleset>>> rulesets() const override
    {
        return maps_.rulesets.entries();
    }
    Result<std::vector<std::pair<peer_key, bitmap>>> peers() const override
    {
        return maps_.peers.entries();
    }
    Result<std::vector<std::pair<cidr_key, bitmap>>> cidrs() const override
    {
        return maps_.cidrs.entries();
    }
    Result<std::vector<std::pair<port_key, bitmap>>> ports() const override
    {
        return maps_.ports.entries();
    }
    Result<std::vector<std::pair<flow_key, flow>>> flows(bool pending) const override;
    Result<endpoint_counters> counters(uint32_t endpoint_index) const override;
    Result<counter> closed(direction dir) const override;
    Result<pod_health> health_of_pod(uint32_t endpoint_index) const override;
    Result<std::vector<KernelDrops>> kernel_drops() const override;
    Result<DropReasons> drop_reasons() const override { return read_drop_reasons(); }
    Result<std::optional<health>> health_of_flow(const flow_key& key) const override
    {
        return maps_.healths.lookup(key);
    }
    Result<std::vector<std::pair<uint64_t, netns_owner>>> namespaces() const override
    {
        return maps_.namespaces.entries();
    }
    Result<rule_hits> hits(uint32_t rule) const override;
    Result<ledger> losses() const override;
    Result<std::vector<ledger>> losses_by_cpu() const override;
    Result<TraceAnswer> trace(const TraceQuestion& question) const override
    {
        return run_trace(pins_.program("trace_packet"), question);
    }

private:
    Pins pins_;
    Maps maps_;
};

void add(counter& sum, const counter& cpu)
{
    sum.packets += cpu.packets;
    sum.bytes += cpu.bytes;
}

template <size_t N> void add(ring_ledger (&sums)[N], const ring_ledger (&more)[N])
{
    for (size_t i = 0; i < N; ++i) {
        sums[i].produced += more[i].produced;
        sums[i].delivered += more[i].delivered;
        sums[i].suppressed += more[i].suppressed;
        sums[i].lost += more[i].lost;
    }
}

void add(ledger& sum, const ledger& cpu)
{
    add(sum.type, cpu.type);
    sum.flows_full += cpu.flows_full;
    sum.flows_evicted += cpu.flows_evicted;
    sum.fragments_full += cpu.fragments_full;
    sum.health_full += cpu.health_full;
    sum.drops_full += cpu.drops_full;
}

Result<datapath_state> OpenedMaps::state() const
{
    auto value = maps_.state.lookup(0);
    if (!value)
        return std::unexpected(value.error());
    return value->value_or(datapath_state{});
}

Result<std::vector<std::pair<IpAddress, identity_slots>>> OpenedMaps::addresses() const
{
    std::vector<std::pair<IpAddress, identity_slots>> all;
    auto done = maps_.addresses.for_each([&](const address_key& key, const identity_slots& slots) {
        IpAddress address;
        std::ranges::copy(key.address, address.bytes.begin());
        all.emplace_back(address, slots);
    });
    if (!done)
        return std::unexpected(done.error());
    return all;
}

Result<std::map<uint32_t, rule_info>> OpenedMaps::rules() const
{
    std::map<uint32_t, rule_info> all;
    auto done = maps_.rules.for_each(
        [&](uint32_t number, const rule_info& info) { all.emplace(number, info); });
    if (!done)
        return std::unexpected(done.error());
    return all;
}

Result<ruleset> OpenedMaps::get_ruleset(uint32_t number) const
{
    auto value = maps_.rulesets.lookup(number);
    if (!value)
        return std::unexpected(value.error());
    if (!*value)
        return fail_errno("rule set " + std::to_string(number), ENOENT);
    return **value;
}

Result<std::vector<std::pair<flow_key, flow>>> OpenedMaps::flows(bool pending) const
{
    auto all = maps_.flows.entries();
    if (all && !pending)
        std::erase_if(*all, [](const auto& entry) { return is_pending(&entry.second); });
    return all;
}

Result<endpoint_counters> OpenedMaps::counters(uint32_t endpoint_index) const
{
    const auto values = maps_.counters.row(endpoint_index);
    if (!values)
        return std::unexpected(values.error());
    endpoint_counters sums{};
    for (const endpoint_counters& cpu : *values)
        for (size_t i = 0; i < std::size(sums.row); ++i)
            add(sums.row[i], cpu.row[i]);
    return sums;
}

Result<counter> OpenedMaps::closed(direction dir) const
{
    const auto values = maps_.closed.row(dir);
    if (!values)
        return std::unexpected(values.error());
    counter sum{};
    for (const counter& cpu : *values)
        add(sum, cpu);
    return sum;
}

// All of its fields are 64-bit counts: they are added up as such.
Result<pod_health> OpenedMaps::health_of_pod(uint32_t endpoint_index) const
{
    using Counts = std::array<uint64_t, sizeof(pod_health) / sizeof(uint64_t)>;
    auto row = maps_.pod_healths.row(endpoint_index);
    if (!row)
        return std::unexpected(row.error());
    Counts sums{};
    for (const pod_health& cpu : *row) {
        const auto counts = std::bit_cast<Counts>(cpu);
        std::ranges::transform(sums, counts, sums.begin(), std::plus<>());
    }
    return std::bit_cast<pod_health>(sums);
}

Result<std::vector<KernelDrops>> OpenedMaps::kernel_drops() const
{
    std::vector<KernelDrops> all;
    auto done =
        maps_.kernel_drops.for_each([&](const kernel_drop_key& key, std::span<const counter> cpus) {
            KernelDrops drops{.endpoint_index = key.endpoint, .reason = key.reason};
            for (const counter& cpu : cpus)
                add(drops.total, cpu);
            all.push_back(drops);
        });
    if (!done)
        return std::unexpected(done.error());
    std::ranges::sort(all, {}, [](const KernelDrops& drops) {
        return std::pair(drops.endpoint_index, drops.reason);
    });
    return all;
}

Result<rule_hits> OpenedMaps::hits(uint32_t rule) const
{
    auto row = maps_.hits.row(rule);
    if (!row)
        return std::unexpected(row.error());
    rule_hits sum{};
    for (const rule_hits& cpu : *row) {
        sum.allowed += cpu.allowed;
        sum.denied += cpu.denied;
        sum.last_ns = std::max(sum.last_ns, cpu.last_ns);
    }
    return sum;
}

Result<std::vector<ledger>> OpenedMaps::losses_by_cpu() const
{
    return maps_.losses.row(0);
}

Result<ledger> OpenedMaps::losses() const
{
    auto row = losses_by_cpu();
    if (!row)
        return std::unexpected(row.error());
    ledger sum{};
    for (const ledger& cpu : *row)
        add(sum, cpu);
    return sum;
}

// Values of another layout may have the same size. Without a state, who opens the maps says so.
Result<void> check_layout(const Pins& pins)
{
    const auto state =
        Map<uint32_t, datapath_state>::open_pinned(pins.maps(), "state", BPF_F_RDONLY);
    if (!state)
        return {};
    const auto value = state->lookup(0);
    if (!value)
        return std::unexpected(value.error());
    if (!*value || (*value)->layout != DATAPATH_LAYOUT)
        return fail(EPROTO,
                    "its maps have another layout than this version reads: take the ebpfctl "
                    "that came with the agent");
    return {};
}

} // namespace

Result<std::unique_ptr<PinnedMaps>> PinnedMaps::open(const std::string& bpffs)
{
    route_libbpf_log();
    const Pins pins{bpffs};
    if (auto fits = check_layout(pins); !fits)
        return fail("look into " + bpffs, fits.error());
    auto maps = Maps::open(pins.maps(), BPF_F_RDONLY);
    if (!maps)
        return fail("look into " + bpffs, maps.error());
    return std::make_unique<OpenedMaps>(pins, std::move(*maps));
}

} // namespace ebpfd
