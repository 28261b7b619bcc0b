// SPDX-License-Identifier: Apache-2.0
#include "bench/crowd.h"
#include "bench/policy.h"
#include "bench/rivals.h"
#include "lab/socket.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <stdexcept>

// A change of who may reach a pod, by ebpfd and by what else would judge its packets, each with a
// node of its own.
namespace bench {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

// Entries of one port; the client's own is what packets tell a change by.
std::vector<Allowed> entries(int list, int count, const std::string* client)
{
    std::vector<Allowed> all;
    for (int number = 0; number < count; ++number)
        all.push_back({block_address(list, number), "udp", open_port});
    if (client)
        all.back().address = *client;
    return all;
}

// One way to judge packets for the node's pod "server", and the change that it is put through.
class Lane {
public:
    Lane(const Rival& rival, int count)
        : rival_(rival), count_(count), node_(must(lab::Node::make(lab::Wiring::routed)))
    {
        must(node_->add_pod("client", 10));
        must(node_->add_pod("server", 20));
        now_ = entries(0, count_, nullptr);
        enforcement_ = rival_.enforce(*node_, now_);
    }
    const char* name() const { return rival_.change_name; }
    int count() const { return count_; }

    // One entry is the client's, or somebody else's again.
    double change_one() { return change_to(entries(0, count_, is_open_ ? nullptr : &client().v4)); }
    // All others as well.
    double replace_all()
    {
        list_ = 1 - list_;
        return change_to(entries(list_, count_, is_open_ ? nullptr : &client().v4));
    }

private:
    const lab::Machine& client() const { return node_->pod("client"); }
    // Milliseconds until it is in force, as a packet proves.
    double change_to(std::vector<Allowed> next)
    {
        const double ms = rival_.change(*node_, enforcement_, now_, next);
        now_ = std::move(next);
        is_open_ = !is_open_;
        if (packet_arrives() != is_open_)
            throw std::runtime_error(fmt::format("{}: a change is not in force", name()));
        return ms;
    }
    bool packet_arrives() const
    {
        const auto& server = node_->pod("server");
        const auto receiver = lab::Socket::listen(server, lab::Transport::udp, open_port);
        const auto sender =
            lab::Socket::connect(client(), lab::Transport::udp, server.v4, open_port);
        sender.send("x");
        return receiver.receive(is_open_ ? lab::Milliseconds(1000) : lab::Milliseconds(20))
            .has_value();
    }

    const Rival& rival_;
    int count_;
    std::unique_ptr<lab::Node> node_;
    std::vector<Allowed> now_;
    std::shared_ptr<void> enforcement_;
    int list_ = 0;
    bool is_open_ = false;
};

using Lanes = std::vector<std::unique_ptr<Lane>>;

void compare(Run& run, const char* name, const Lanes& lanes, double (Lane::*take)())
{
    std::vector<Variant> variants;
    for (const auto& lane : lanes)
        variants.push_back({lane->name(), lane->count(),
                            [&lane = *lane, take] { return std::vector{(lane.*take)()}; }});
    run.measure({{.group = "policy",
                  .name = name,
                  .unit = "ms",
                  .base = "ebpfd, a file renamed",
                  .size_name = "addresses"}},
                variants);
}

} // namespace

void measure_rivals(Run& run)
{
    std::vector<int> sizes{10'000};
    if (!run.quick())
        sizes = {100, 1'000, 10'000};
    for (const int size : sizes) {
        Lanes lanes;
        for (const Rival& rival : rivals()) {
            if (!rival.change)
                continue;
            run.say(fmt::format("policy: {} addresses: {}", size, rival.name));
            lanes.push_back(std::make_unique<Lane>(rival, size));
        }
        compare(run, "one address of many changed, beside other tools", lanes, &Lane::change_one);
        compare(run, "all addresses replaced, beside other tools", lanes, &Lane::replace_all);
    }
}

} // namespace bench
