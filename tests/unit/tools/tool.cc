// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

template <size_t N> void put(char (&chars)[N], const std::string& text)
{
    text.copy(chars, N - 1);
}

} // namespace

Exit Tool::run(const std::vector<std::string>& arguments)
{
    const Sources sources{
        .open_maps = [&](const std::string&) -> Result<std::unique_ptr<PinnedMaps>> {
            if (maps_error != 0)
                return fail_errno("open state", maps_error);
            return std::make_unique<FakeMaps>(maps);
        },
        .get = [&](const auto&, const std::string& path, auto) { return ask(path); },
        .post =
            [&](const auto&, const std::string& path, const std::string& body, auto) {
                posted.push_back(body);
                return ask(path);
            },
        .stream = [&](const auto&, const std::string& path, const auto& line) -> Result<void> {
            asked.push_back(path);
            std::ranges::all_of(lines, line);
            return {};
        },
        .programs = [&](const auto&) -> Result<ProgramStatistics> {
            if (maps_error != 0)
                return fail_errno("open state", maps_error);
            auto next = std::move(programs.front());
            programs.erase(programs.begin());
            return next;
        },
        .count_runs = [&]() -> Result<Fd> {
            if (counting_error != 0)
                return fail_errno("have the kernel count runs", counting_error);
            return Fd();
        }};
    std::ostringstream output, errors;
    Exit code = ctl::run(arguments, sources, {output, errors, -1});
    out = output.str();
    err = errors.str();
    return code;
}

Json Tool::json(std::vector<std::string> arguments)
{
    arguments.insert(arguments.end(), {"-o", "json"});
    EXPECT_EQ(run(arguments), Exit::ok) << err;
    return Json::parse(out, nullptr, false);
}

Result<std::string> Tool::ask(const std::string& path)
{
    asked.push_back(path);
    auto found = answers.find(path.substr(0, path.find('?')));
    if (found == answers.end())
        return fail(agent_error, "the agent says no");
    return found->second;
}

void Tool::add_pod(uint32_t ifindex, const std::string& pod_namespace, const std::string& pod,
                   const std::vector<std::string>& addresses, uint32_t ingress, uint32_t egress)
{
    endpoint entry{};
    entry.index = ifindex + 100;
    entry.slot[maps.state.generation & 1] = {{ingress, egress}};
    entry.slot[~maps.state.generation & 1] = {{RULESET_CLOSED, RULESET_CLOSED}};
    maps.endpoints.emplace_back(ifindex, entry);
    endpoint_name name{};
    put(name.pod_namespace, pod_namespace);
    put(name.pod, pod);
    put(name.interface, "veth" + std::to_string(ifindex));
    for (size_t i = 0; i < addresses.size(); i++)
        std::ranges::copy(IpAddress::parse(addresses[i]).value().bytes, name.address[i]);
    maps.names.emplace_back(ifindex, name);
}

void Tool::add_rule(uint32_t number, const std::string& policy_namespace, const std::string& policy,
                    rule_kind kind)
{
    rule_info& rule = maps.rules[number];
    rule.line = 7;
    rule.kind = kind;
    rule.direction = DIRECTION_INGRESS;
    rule.action = kind == RULE_ISOLATION ? ACTION_DENY : ACTION_ALLOW;
    put(rule.policy_namespace, policy_namespace);
    put(rule.policy, policy);
    put(rule.file, "policies.yaml");
}

} // namespace ebpfd::ctl
