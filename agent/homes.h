// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/endpoint.h"
#include "inventory/address_index.h"
#include "inventory/locate.h"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ebpfd {

// Locates pods, and keeps to what was found: a pod that may change its own interface must not
// get out of its policy by taking its address away, nor into another's by taking that one's.
//
// A pod stays at its interface while both exist and its object says the same uid, or without one
// the same addresses, and the same annotation. It leaves only for a host route, which the node's
// root has set, for another interface that has an address which its object says anew, or, while it
// is being deleted, for the pod that has its address next.
//
// When a pod's interface goes, its address may soon be another's, which the inventory tells later.
// So such a pod is away: it has no address and gets no interface, and the one that its address
// leads to is closed. One that is being deleted does not come back; another does at once, or where
// the names of pods' interfaces are given, which are to be closed until their pod is known, after
// a while in which the inventory says nothing else.
class Homes {
public:
    using Pods = std::vector<std::shared_ptr<const Pod>>;
    using Clock = std::chrono::steady_clock;
    static constexpr auto absence = std::chrono::seconds(10);

    // What an earlier agent found.
    void adopt(const std::vector<std::pair<uint32_t, endpoint_name>>& endpoints);
    // Whether it had found any pod.
    bool adopted() const { return adopted_; }
    // Those interfaces have gone; one that has such a number now is another. Where no pod was
    // located, a pod that has one of its addresses may have been there between two calls of
    // locate(): then that has gone with it.
    void leave(const GoneInterfaces& gone, Clock::time_point now);

    // As locate_pods().
    std::vector<LocalInterface> locate(const Pods& pods, const InterfaceTable& table,
                                       const std::string& node_name,
                                       const std::vector<std::string>& pod_interface_globs,
                                       std::vector<std::string>* warnings,
                                       Clock::time_point now = Clock::now());
    // Those that were away.
    const std::set<const Pod*>& away() const { return away_; }
    // Whether one of them comes back with the time.
    bool expects_any() const { return expects_any_; }

private:
    struct Home {
        std::optional<std::string> uid; // none: an earlier agent's, which did not write it down
        std::set<IpAddress> addresses;
        uint32_t ifindex = 0;
        std::optional<Clock::time_point> left; // when the interface went
    };
    struct Unseen {
        uint32_t ifindex = 0;
        Clock::time_point left;
    };
    // Where the pod is known to be, or to have been.
    const Home* home_of(const Pod& pod) const;
    // The interface's name, if the pod stays at it.
    static const std::string* stays_at(const Home& home, const Pod& pod,
                                       const InterfaceTable& table, const AddressIndex& index);
    bool is_away(const Home& home, const Pod& pod, bool waits, Clock::time_point now);
    void leave_unseen(const Pods& pods);
    void leave_missing(const InterfaceTable& table, Clock::time_point now);
    // Takes from pods those that are away.
    void part(Pods& pods, const AddressIndex& index, bool waits, Clock::time_point now);
    bool had_left(const Pod& pod, const AddressIndex& index) const;
    void remember(const std::vector<LocalInterface>& found, const Pods& pods);

    std::map<std::string, Home> homes_; // by the pod's key; without those that are annotated
    // At interfaces that have gone, where no pod was located.
    std::map<IpAddress, Unseen> unseen_;
    bool adopted_ = false;
    std::set<const Pod*> away_;
    bool expects_any_ = false;
};

// node_addresses() without the services' cluster IPs, which kube-proxy may give the node.
std::set<IpAddress> own_node_addresses(std::set<IpAddress> addresses,
                                       const std::vector<std::shared_ptr<const Service>>& services);

} // namespace ebpfd
