// SPDX-License-Identifier: Apache-2.0
#include "objects/in_force.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>

namespace ebpfd {
namespace {

// To put objects in their places one by one costs a move of the list each.
constexpr size_t most_exchanged = 64;

constexpr std::string_view kind_of(const NetworkPolicy*)
{
    return "NetworkPolicy";
}
constexpr std::string_view kind_of(const ClusterPolicy*)
{
    return "cluster-wide policy";
}
constexpr std::string_view kind_of(const Pod*)
{
    return "Pod";
}
constexpr std::string_view kind_of(const Namespace*)
{
    return "Namespace";
}
constexpr std::string_view kind_of(const Service*)
{
    return "Service";
}
constexpr std::string_view kind_of(const EndpointSlice*)
{
    return "EndpointSlice";
}
constexpr std::string_view kind_of(const Node*)
{
    return "Node";
}

std::string place(const Origin& origin)
{
    return fmt::format("{}:{}", origin.file, origin.line);
}

// "name", or "namespace/name".
template <class T> std::string text_of_key(const T& object)
{
    return std::apply(
        [](const auto&... parts) {
            return fmt::format("{}", fmt::join(std::array{std::string_view(parts)...}, "/"));
        },
        object.order());
}

template <class T> auto order_in(const std::shared_ptr<const T>& object)
{
    return object->order();
}

} // namespace

template <class T> bool KindInForce<T>::take_out(const Object& object, List& list) const
{
    const auto at = std::ranges::lower_bound(list, object->order(), {}, order_in<T>);
    if (at == list.end() || *at != object)
        return false;
    list.erase(at);
    return true;
}

template <class T> bool KindInForce<T>::put_in(const Object& object, List& list) const
{
    const auto at = std::ranges::lower_bound(list, object->order(), {}, order_in<T>);
    if (at != list.end() && (*at)->order() == object->order())
        return false;
    list.insert(at, object);
    return true;
}

template <class T> void KindInForce<T>::exchange(const List& before, const List& now)
{
    if (stale_ || (before.empty() && now.empty()))
        return;
    stale_ = !duplicates_.empty() || before.size() + now.size() > most_exchanged;
    if (stale_)
        return;
    List list = list_;
    const auto out = [&](const Object& object) { return take_out(object, list); };
    const auto in = [&](const Object& object) { return put_in(object, list); };
    stale_ = !std::ranges::all_of(before, out) || !std::ranges::all_of(now, in);
    if (!stale_)
        list_ = std::move(list);
}

template <class T> void KindInForce<T>::gather(const std::vector<const List*>& files)
{
    List all;
    for (const List* objects : files)
        all.insert(all.end(), objects->begin(), objects->end());
    std::ranges::stable_sort(all, {}, order_in<T>);
    List list;
    list.reserve(all.size());
    duplicates_.clear();
    for (const Object& object : all) {
        if (list.empty() || list.back()->order() != object->order()) {
            list.push_back(object);
            continue;
        }
        duplicates_.push_back(fmt::format("{} {} stands twice: {} counts, {} does not",
                                          kind_of(object.get()), text_of_key(*object),
                                          place(object->origin), place(list.back()->origin)));
        list.back() = object;
    }
    list_ = std::move(list);
    stale_ = false;
}

template class KindInForce<NetworkPolicy>;
template class KindInForce<ClusterPolicy>;
template class KindInForce<Pod>;
template class KindInForce<Namespace>;
template class KindInForce<Service>;
template class KindInForce<EndpointSlice>;
template class KindInForce<Node>;

} // namespace ebpfd
