// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "lab/node.h"
#include "lab/socket.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lab {

// Where connections go; the machines outlive the load.
struct Route {
    const Machine* from;
    const Machine* to;
    Transport transport;
    uint16_t port;
};

// What became of all connections so far.
struct LoadCounts {
    uint64_t open = 0;          // connections that stay
    uint64_t echoes = 0;        // over them, answered
    uint64_t late = 0;          // or not, in time
    uint64_t broken = 0;        // connections that ended, or could not be opened
    uint64_t retransmitted = 0; // segments, of all connections
    uint64_t made = 0;          // new ones that were answered
    uint64_t slow = 0;          // of these: later than within a second
    uint64_t failed = 0;        // or not
    uint64_t refused = 0; // packets of attempts that may not succeed, as their senders sent them
    uint64_t leaked = 0;  // of theirs, arrived at the receiver or answered
};
std::ostream& operator<<(std::ostream& out, const LoadCounts& counts);

// Connections between machines that stay open and echo in turn, new ones all the time, and attempts
// that policy refuses: both ends of everything on one thread.
class Load {
public:
    explicit Load(Family family);
    ~Load();
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    // Before start(). TCP connections that stay open.
    void keep_open(const Route& route, size_t connections);
    // A new connection, or UDP exchange, every interval.
    void make_new(const Route& route, Milliseconds interval);
    // The same with attempts that should not arrive.
    void try_refused(const Route& route, Milliseconds interval);
    // False: not all is open within the time.
    bool start(Milliseconds timeout = std::chrono::seconds(20));
    // Nothing new from now on; returns once what is on its way has ended.
    LoadCounts finish();
    LoadCounts counts() const;

private:
    using Clock = std::chrono::steady_clock;
    enum class Role { listener, sent, arrived, server, open, made, refused };
    struct Talk {
        Role role;
        Transport transport = Transport::tcp;
        ebpfd::Fd fd;
        Clock::time_point since;
        bool waits = false; // for an answer
    };
    struct Repeated {
        Route route;
        Role role;
        Milliseconds interval;
        Clock::time_point next;
    };

    void run(const std::stop_token& stop);
    void begin();
    void serve(const Route& route, bool tapped);
    void wait_for_events();
    void handle(int fd, uint32_t events);
    void accept_all(const Talk& listener);
    void echo(Talk& server);
    void answered(Talk& talk);
    void take_answer(Talk& talk);
    void add_tap(Role role, const Machine& machine, const Route& route);
    void count_frames(Talk& tap);
    void ask_in_turn(Clock::time_point now);
    void make_due(Clock::time_point now);
    void expire(Clock::time_point now);
    void expire(int fd, const Talk& talk);
    bool is_quiet() const;

    ebpfd::Fd make_socket(const Machine& machine, int family, int type, int protocol = 0);
    // Watches the descriptor, and returns its entry; nothing if it is none.
    Talk* add(Role role, Transport transport, ebpfd::Fd fd);
    Talk* connect(Role role, const Route& route);
    bool bind_next(int fd);
    void drop(int fd);

    const Family family_;
    ebpfd::Fd epoll_;
    std::vector<std::pair<Route, size_t>> kept_;
    std::vector<Repeated> repeated_;
    std::map<const Machine*, ebpfd::Fd> namespaces_;
    std::unordered_map<int, Talk> talks_;
    std::vector<int> open_; // by turns
    size_t turn_ = 0;
    uint16_t next_port_ = 0;
    Clock::time_point expired_;
    std::atomic<bool> finishing_ = false;
    mutable std::mutex mutex_;
    LoadCounts counts_; // by the thread alone; a copy for others:
    LoadCounts seen_;
    bool quiet_ = false; // all is open, and nothing waits
    std::jthread thread_;
};

} // namespace lab
