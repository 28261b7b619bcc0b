// SPDX-License-Identifier: Apache-2.0
#include "observe/interest.h"

#include "model/names.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace ebpfd {
namespace {

using Conditions = std::multimap<std::string, std::string>;

// The one value of a name; none if there are alternatives: the datapath looks at one.
const std::string* only_value(const Conditions& conditions, const char* name)
{
    return conditions.count(name) == 1 ? &conditions.find(name)->second : nullptr;
}

bool is_event_type(uint32_t type, std::string_view name)
{
    return event_type_name(type) == name;
}

// has_name: whether a condition by that name finds the number.
template <class Bits>
Bits bits_of(const Conditions& conditions, const char* name, uint32_t count,
             bool (*has_name)(uint32_t, std::string_view))
{
    Bits bits = 0;
    const auto [begin, end] = conditions.equal_range(name);
    for (uint32_t number = 0; number < count; number++)
        if (std::any_of(begin, end, [&](const auto& one) { return has_name(number, one.second); }))
            bits = static_cast<Bits>(bits | 1U << number);
    return bits;
}

template <class Bits>
Bits wanted_bits(const Conditions& conditions, const std::string& name, uint32_t count,
                 bool (*has_name)(uint32_t, std::string_view))
{
    const auto wanted = bits_of<Bits>(conditions, name.c_str(), count, has_name);
    const auto unwanted = bits_of<Bits>(conditions, ("not_" + name).c_str(), count, has_name);
    return static_cast<Bits>((wanted != 0 ? wanted : ~Bits{0}) & ~unwanted);
}

bool is_pod(const PodName& name, const std::string& pod)
{
    return name.pod_namespace + "/" + name.pod == pod;
}

// Fills in where the pod is. Where it is not known, or in more places than there is room for,
// every flow is wanted.
void watch_pod(watch& wanted, const std::string& pod, const Names& names)
{
    size_t interfaces = 0;
    for (const auto& [ifindex, name] : names.interfaces)
        if (is_pod(*name, pod)) {
            wanted.ifindex = ifindex;
            interfaces++;
        }
    size_t addresses = 0;
    names.addresses.for_each([&](const IpAddress& address, const PodName& name) {
        if (is_pod(name, pod) && addresses++ < WATCH_ADDRESSES)
            std::ranges::copy(address.bytes, wanted.address[addresses - 1]);
    });
    wanted.pod = addresses > 0 && addresses <= WATCH_ADDRESSES && interfaces <= 1;
}

} // namespace

Interest& Interest::operator|=(const Interest& other)
{
    types |= other.types;
    verdicts |= other.verdicts;
    if (port != other.port)
        port = 0;
    if (pod != other.pod)
        pod.clear();
    return *this;
}

Interest interest_of(const Conditions& conditions)
{
    Interest out{
        .types = wanted_bits<uint32_t>(conditions, "type", EVENT_TYPE_COUNT, is_event_type),
        .verdicts = wanted_bits<uint16_t>(conditions, "verdict", VERDICT_COUNT, has_verdict_name),
        .port = 0,
        .pod = ""};
    for (const char* name : {"port", "from_port", "to_port"})
        if (const auto* value = only_value(conditions, name))
            std::from_chars(value->data(), value->data() + value->size(), out.port);
    for (const char* name : {"pod", "from_pod", "to_pod"})
        if (const auto* value = only_value(conditions, name))
            out.pod = *value;
    return out;
}

watch watch_of(const std::optional<Interest>& readers, bool changes, const Names& names)
{
    watch wanted{};
    wanted.changes = changes ? 1 : 0;
    if (!readers)
        return wanted;
    wanted.types = readers->types;
    wanted.verdicts = readers->verdicts;
    wanted.port = htons(readers->port);
    wanted.signs = (readers->types & 1U << EVENT_FLOW_UPDATE) != 0 ? 1 : 0;
    if (!readers->pod.empty())
        watch_pod(wanted, readers->pod, names);
    return wanted;
}

} // namespace ebpfd
