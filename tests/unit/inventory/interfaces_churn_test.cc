// SPDX-License-Identifier: Apache-2.0
#include "watched_node.h"

#include <array>
#include <fmt/format.h>
#include <random>

namespace {

// Random changes to a node and its pods; many are refused by the kernel, which is fine.
class Churn {
public:
    explicit Churn(uint32_t seed) : random_(seed) {}

    // On the node; pod: the name of some pod's namespace.
    std::string node_step(const std::string& pod)
    {
        const std::string veth = fmt::format("v{}", pick(4));
        const std::string far = fmt::format("e{}", pick(4));
        switch (pick(9)) {
        case 0:
            return fmt::format("link add {} index {} type veth peer name {}", veth, 50 + pick(6),
                               far);
        case 1:
            return fmt::format("link add {} type veth peer name {} netns {}", veth, far, pod);
        case 2:
            return fmt::format("link set {} netns {}", far, pod);
        case 3:
            return fmt::format("link del {}", veth);
        case 4:
            return fmt::format("link set {} {}", veth, pick(4) ? "up" : "down");
        case 5:
            return fmt::format("link set {} name v{}", veth, pick(4));
        case 6:
            return fmt::format("addr {} 192.0.2.{}/24 dev {}", add_or_del(), pick(3), veth);
        case 7:
            return fmt::format("route replace 10.0.0.{}/32 dev {}", pick(4), veth);
        default:
            return fmt::format("route {} fd00::{}/128 dev {}", add_or_del(), pick(4), veth);
        }
    }
    // In a pod; node and other: namespaces to move interfaces to.
    std::string pod_step(const std::string& node, const std::string& other)
    {
        const std::string far = fmt::format("e{}", pick(4));
        switch (pick(6)) {
        case 0:
            return fmt::format("link add {} type veth peer name v{} netns {}", far, pick(4), node);
        case 1:
            return fmt::format("link set {} netns {}", far, other);
        case 2:
            return fmt::format("link set {} {}", far, pick(4) ? "up" : "down");
        case 3:
            return fmt::format("addr {} fd00::{}/128 dev {}", add_or_del(), pick(4), far);
        default:
            return fmt::format("addr {} 10.0.0.{}/32 dev {}", add_or_del(), pick(4), far);
        }
    }
    uint32_t pick(uint32_t count) { return static_cast<uint32_t>(random_() % count); }

private:
    const char* add_or_del() { return pick(3) ? "add" : "del"; }

    std::mt19937 random_;
};

std::string text_of(const ebpfd::InterfaceTable& table)
{
    std::string text;
    for (const auto& [ifindex, link] : table.links) {
        text += fmt::format("{} {} {} {} master {} peer {} in {}:", ifindex, link.name, link.kind,
                            link.up ? "up" : "down", link.master, link.peer,
                            link.peer_nsid ? std::to_string(*link.peer_nsid) : "ours");
        for (const auto& assigned : link.peer_addresses)
            text += fmt::format(" {}/{}", assigned.address.text(), assigned.prefix);
        text += "\n";
    }
    for (const auto& own : table.addresses)
        text += fmt::format("{}/{} dev {}\n", own.assigned.address.text(), own.assigned.prefix,
                            own.ifindex);
    for (const auto& route : table.routes)
        text += fmt::format("route {} metric {} dev {}\n", route.destination.text(), route.metric,
                            route.ifindex);
    return text;
}

class InterfacesChurn : public WatchedNode, public testing::WithParamInterface<uint32_t> {};

} // namespace

TEST_P(InterfacesChurn, EndsWithWhatANewWatcherSees)
{
    start_watching();
    Churn churn(GetParam());
    std::array<std::optional<lab::NetNamespace>, 3> pods;
    for (int step = 0; step < 250; ++step) {
        auto& pod = pods[churn.pick(3)];
        auto& other = pods[churn.pick(3)];
        if (!pod)
            pod.emplace(make_namespace("pod"));
        else if (churn.pick(20) == 0)
            pod.reset();
        if (!pod || !other)
            continue;
        if (churn.pick(2))
            (void)node_->ip(churn.node_step(pod->name()) + "\n");
        else
            (void)pod->ip(churn.pod_step(node_->name(), other->name()) + "\n");
        if (churn.pick(5) == 0)
            settle();
    }
    std::string fresh_text;
    EXPECT_TRUE(eventually([&] {
        bool same = false;
        settle();
        node_->enter([&] {
            auto fresh = ebpfd::InterfaceWatcher::start();
            ASSERT_TRUE(fresh) << fresh.error().message;
            same = fresh->table() == table();
            fresh_text = text_of(fresh->table());
        });
        return same;
    })) << "kept:\n"
        << text_of(table()) << "read anew:\n"
        << fresh_text;
    EXPECT_FALSE(table().links.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, InterfacesChurn, testing::Range(1u, 4u));
