// SPDX-License-Identifier: Apache-2.0
#include "kernel/reuse.h"

#include "base/fd.h"
#include "base/log.h"
#include "ebpfd/state.h"
#include "kernel/conversion.h"
#include "kernel/map.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <fmt/format.h>

namespace ebpfd {

namespace {

std::unexpected<Error> other_layout(const Pins& pins)
{
    return fail(EINVAL, "the maps in " + pins.maps() +
                            " are of another version: run `ebpfd --detach` first, with the same "
                            "--bpffs; the pods are not enforced until the next start");
}

bool has_shape_of(const bpf_map* map, const bpf_map_info& pinned)
{
    return pinned.type == bpf_map__type(map) && pinned.key_size == bpf_map__key_size(map) &&
           pinned.value_size == bpf_map__value_size(map) &&
           pinned.map_flags == bpf_map__map_flags(map);
}

} // namespace

Result<uint32_t> check_pinned_layout(const Pins& pins)
{
    auto state = Map<uint32_t, datapath_state>::open_pinned(pins.maps(), "state");
    if (!state && state.error().code == ENOENT) {
        // Programs are pinned last: without them no packet ever saw these maps.
        if (!names_in(pins.programs()).empty())
            return other_layout(pins);
        if (auto removed = remove_folder(pins.maps()); !removed)
            return std::unexpected(removed.error());
        return 0;
    }
    if (!state && state.error().code == EINVAL)
        return other_layout(pins);
    if (!state)
        return std::unexpected(state.error());
    auto value = state->lookup(0);
    if (!value)
        return std::unexpected(value.error());
    const uint32_t layout = *value ? (*value)->layout : 0;
    if (layout != DATAPATH_LAYOUT && !can_convert(layout))
        return other_layout(pins);
    return layout;
}

Result<bool> adapt_to_pinned(bpf_map* map, const std::string& path, uint32_t layout)
{
    const Fd pinned(bpf_obj_get(path.c_str()));
    if (!pinned && errno == ENOENT)
        return true;
    if (!pinned)
        return fail_errno("open " + path);
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(pinned.get(), &info, &size) != 0)
        return fail_errno("describe " + path);
    uint32_t capacity = info.max_entries;
    const bool fits = has_shape_of(map, info);
    if (!fits) {
        const auto* conversion = find_conversion(layout, bpf_map__name(map));
        if (conversion == nullptr)
            return fail(EINVAL, "it is of another version: run `ebpfd --detach` first");
        capacity = conversion->capacity(capacity);
    }
    if (capacity != bpf_map__max_entries(map))
        spdlog::warn("{} keeps its capacity of {}; {} takes effect after `ebpfd --detach`",
                     bpf_map__name(map), capacity, bpf_map__max_entries(map));
    bpf_map__set_max_entries(map, capacity);
    return fits;
}

} // namespace ebpfd
