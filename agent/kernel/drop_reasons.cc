// SPDX-License-Identifier: Apache-2.0
#include "kernel/drop_reasons.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <fmt/format.h>
#include <memory>
#include <span>
#include <string_view>

namespace ebpfd {

namespace {

struct FreeBtf {
    void operator()(btf* types) const { btf__free(types); }
};

std::string short_name(std::string_view name)
{
    for (const std::string_view prefix : {"SKB_DROP_REASON_", "SKB_"})
        if (name.starts_with(prefix))
            return std::string(name.substr(prefix.size()));
    return std::string(name);
}

} // namespace

Result<DropReasons> read_drop_reasons()
{
    const std::unique_ptr<btf, FreeBtf> types(btf__load_vmlinux_btf());
    if (!types)
        return fail_errno("read the kernel's types");
    const int id = btf__find_by_name_kind(types.get(), "skb_drop_reason", BTF_KIND_ENUM);
    if (id < 0)
        return fail(ENOENT, "the kernel has no names for its reasons to drop packets");
    const btf_type* type = btf__type_by_id(types.get(), static_cast<uint32_t>(id));
    DropReasons reasons;
    for (const struct btf_enum& one : std::span(btf_enum(type), btf_vlen(type)))
        reasons.emplace(static_cast<uint32_t>(one.val),
                        short_name(btf__name_by_offset(types.get(), one.name_off)));
    return reasons;
}

std::string drop_reason_name(const DropReasons& reasons, uint32_t number)
{
    const auto found = reasons.find(number);
    return found == reasons.end() ? fmt::format("{:#x}", number) : found->second;
}

} // namespace ebpfd
