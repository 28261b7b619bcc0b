// SPDX-License-Identifier: Apache-2.0
#include "kernel/kernel_hooks.h"

#include "base/fd.h"
#include "ebpfd/flow.h"
#include "ebpfd/state.h"
#include "hooks.skel.h"
#include "kernel/libbpf_log.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>

namespace ebpfd {

namespace {

constexpr unsigned turns_between_questions = 6; // about an interface's other end

// Maps that the datapath has made are shared, the others belong to one load.
Result<void> share_maps(bpf_object* object, const Pins& pins)
{
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object)
    {
        const std::string name = bpf_map__name(map);
        const Fd pinned(bpf_obj_get(pins.map(name).c_str()));
        if (!pinned)
            continue;
        if (const int code = bpf_map__reuse_fd(map, pinned.get()); code != 0)
            return fail_errno("share " + name, code);
    }
    return {};
}

// The hooks look flows up where the datapath has put them.
Result<void> share_hashing(const bpf_object* object, const Pins& pins)
{
    const auto state = Map<uint32_t, datapath_state>::open_pinned(pins.maps(), "state");
    if (!state)
        return std::unexpected(state.error());
    const auto value = state->lookup(0);
    if (!value)
        return std::unexpected(value.error());
    size_t size = 0;
    bpf_map* map = bpf_object__find_map_by_name(object, ".rodata");
    const void* initial = map ? bpf_map__initial_value(map, &size) : nullptr;
    hooks::hooks__rodata constants{};
    if (!initial || size != sizeof(constants))
        return fail(EINVAL, "the hooks have other constants");
    std::memcpy(&constants, initial, size);
    constants.hashing = value->value_or(datapath_state{}).hashing;
    if (const int code = bpf_map__set_initial_value(map, &constants, size); code != 0)
        return fail_errno("set the hooks' constants", code);
    return {};
}

Result<netns_query> ask_namespaces(const bpf_object& object, uint32_t ifindex)
{
    const auto* program = bpf_object__find_program_by_name(&object, "find_netns");
    netns_query query{.ifindex = ifindex, .pad = 0, .own = 0, .other = 0};
    LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &query, .ctx_size_in = sizeof(query));
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0)
        return fail_errno("ask for the namespace behind an interface");
    return query;
}

bool same_owner(const netns_owner& a, const netns_owner& b)
{
    return a.ifindex == b.ifindex && a.endpoint == b.endpoint;
}

} // namespace

std::unique_ptr<KernelHooks> KernelHooks::attach(const HookOptions& options, const Pins& pins)
{
    const LibbpfAttempt attempt;
    std::unique_ptr<KernelHooks> hooks(new KernelHooks(pins));
    std::vector<const HookKind*> kinds;
    for (const HookKind& kind : hook_kinds())
        if (std::ranges::find(options.names, kind.name) != options.names.end())
            kinds.push_back(&kind);
    if (kinds.empty())
        return hooks;
    if (auto prepared = hooks->prepare_namespaces(); !prepared) {
        for (const HookKind* kind : kinds)
            hooks->status_.push_back({kind->name, "", prepared.error().message});
        return hooks;
    }
    if (options.attach == HookAttach::automatic)
        hooks->attach_usual(kinds);
    for (const HookKind* kind : kinds)
        if (!hooks->has(kind->name))
            hooks->attach_by_any(*kind, options.attach);
    return hooks;
}

bool KernelHooks::has(const char* name) const
{
    return std::ranges::find(status_, name, &HookStatus::name) != status_.end();
}

Result<void> KernelHooks::prepare_namespaces()
{
    auto finder = load({"find_netns"});
    if (!finder)
        return std::unexpected(finder.error());
    finder_ = std::move(*finder);
    auto namespaces = Map<uint64_t, netns_owner>::open_pinned(pins_.maps(), "netns_map");
    if (!namespaces)
        return std::unexpected(namespaces.error());
    namespaces_ = std::move(*namespaces);
    return namespaces_.for_each(
        [&](uint64_t cookie, const netns_owner& owner) { owners_.emplace(cookie, owner); });
}

Result<KernelHooks::Object> KernelHooks::load(const std::vector<const char*>& programs) const
{
    size_t size = 0;
    const void* bytes = hooks__elf_bytes(&size);
    Object object(bpf_object__open_mem(bytes, size, nullptr));
    if (!object)
        return fail_errno("read the hooks");
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object.get())
    {
        bpf_program__set_autoload(program, std::ranges::any_of(programs, [&](const char* name) {
                                      return std::string_view(name) == bpf_program__name(program);
                                  }));
    }
    if (auto shared = share_maps(object.get(), pins_); !shared)
        return std::unexpected(shared.error());
    if (auto shared = share_hashing(object.get(), pins_); !shared)
        return std::unexpected(shared.error());
    if (const int code = bpf_object__load(object.get()); code != 0)
        return fail_errno("load", code);
    return object;
}

// One load for all that work everywhere: each load reads the kernel's whole BTF anew.
void KernelHooks::attach_usual(const std::vector<const HookKind*>& kinds)
{
    std::vector<const char*> programs;
    for (const HookKind* kind : kinds)
        if (kind->usual)
            programs.insert(programs.end(), kind->ways[0].programs.begin(),
                            kind->ways[0].programs.end());
    const auto object = load(programs);
    if (!object)
        return;
    for (const HookKind* kind : kinds)
        if (kind->usual && attach_way(**object, kind->ways[0]))
            status_.push_back({kind->name, kind->ways[0].text(), ""});
}

void KernelHooks::attach_by_any(const HookKind& kind, HookAttach by)
{
    HookStatus status{.name = kind.name, .attachment = "", .error = ""};
    for (const HookWay& way : kind.ways) {
        if (by != HookAttach::automatic && way.by != by)
            continue;
        Result<void> done;
        if (auto object = load(way.programs))
            done = attach_way(**object, way);
        else
            done = std::unexpected(object.error());
        if (done) {
            status = {.name = kind.name, .attachment = way.text(), .error = ""};
            break;
        }
        status.error += fmt::format("{}{}: {}", status.error.empty() ? "" : "; ", way.text(),
                                    done.error().message);
    }
    if (status.attachment.empty() && status.error.empty())
        status.error = "it cannot be attached in the way that was asked for";
    status_.push_back(std::move(status));
}

// All programs of the way, or none.
Result<void> KernelHooks::attach_way(const bpf_object& object, const HookWay& way)
{
    Links links;
    for (const char* name : way.programs) {
        const auto* program = bpf_object__find_program_by_name(&object, name);
        links.emplace_back(bpf_program__attach(program));
        if (!links.back())
            return fail_errno("attach");
    }
    std::ranges::move(links, std::back_inserter(links_));
    return {};
}

bool KernelHooks::is_due(size_t place, const Answer& answer) const
{
    return turn_ - answer.turn < turns_between_questions ||
           (turn_ + place) % turns_between_questions == 0;
}

// moves: of those as well that are known and due.
Result<void> KernelHooks::ask(const EndpointRows& endpoints, bool moves)
{
    std::map<uint32_t, Answer> answers;
    size_t count = 0;
    for (const auto& [ifindex, row] : endpoints) {
        const size_t place = count++; // numbers of interfaces are often all even
        const auto known = answers_.find(ifindex);
        const bool is_known = known != answers_.end() && known->second.asked_for == row.name;
        if (is_known && !(moves && is_due(place, known->second))) {
            answers.insert(*known);
            continue;
        }
        const auto namespaces = ask_namespaces(*finder_, ifindex);
        if (!namespaces)
            return std::unexpected(namespaces.error());
        const bool stays = is_known && known->second.namespaces.other == namespaces->other;
        answers.emplace(ifindex, Answer{.asked_for = row.name,
                                        .index = row.index,
                                        .namespaces = *namespaces,
                                        .turn = stays ? known->second.turn : turn_});
    }
    answers_ = std::move(answers);
    return {};
}

// The node's own namespace stands for interfaces on this side, where a pod is found by ifindex.
KernelHooks::Owners KernelHooks::find_owners() const
{
    Owners owners;
    for (const auto& [ifindex, answer] : answers_) {
        owners.emplace(answer.namespaces.own, netns_owner{.ifindex = 0, .endpoint = 0});
        if (answer.namespaces.other != 0)
            owners.emplace(answer.namespaces.other,
                           netns_owner{.ifindex = ifindex, .endpoint = answer.index});
    }
    return owners;
}

Result<void> KernelHooks::follow(const EndpointRows& endpoints, bool moves)
{
    if (!finder_)
        return {};
    turn_ += moves ? 1 : 0;
    if (auto asked = ask(endpoints, moves); !asked)
        return asked;
    auto next = find_owners();
    std::vector<uint64_t> gone;
    for (const auto& [cookie, owner] : owners_)
        if (!next.contains(cookie))
            gone.push_back(cookie);
    if (auto erased = namespaces_.erase(gone); !erased)
        return erased;
    for (const auto& [cookie, owner] : next) {
        const auto known = owners_.find(cookie);
        if (known != owners_.end() && same_owner(known->second, owner))
            continue;
        if (auto updated = namespaces_.update(cookie, owner); !updated)
            return updated;
    }
    owners_ = std::move(next);
    return {};
}

} // namespace ebpfd
