// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "lab/node.h"
#include "lab/process.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace lab {

// Long enough for an answer on a busy machine, and short enough to wait for none.
inline constexpr Milliseconds patience{5000};
inline constexpr Milliseconds silence{150};

// How an attempt to connect ended. broken: the test's own means failed.
enum class Outcome { connected, refused, unreachable, silent, broken };
std::ostream& operator<<(std::ostream& out, Outcome outcome);

enum class Transport { tcp, udp, icmp };
std::ostream& operator<<(std::ostream& out, Transport transport);

// One end of a connection, TCP or UDP, to be used from any thread.
class Socket {
public:
    Socket() = default;
    explicit Socket(ebpfd::Fd fd) : fd_(std::move(fd)) {}
    // A listening TCP socket or a bound UDP one, for both families.
    static Socket listen(const Machine& machine, Transport transport, uint16_t port);
    // Begins to connect; source_port 0: any.
    static Socket connect(const Machine& machine, Transport transport, std::string_view address,
                          uint16_t port, uint16_t source_port = 0);

    explicit operator bool() const { return static_cast<bool>(fd_); }
    int fd() const { return fd_.get(); }
    // How connect() ended, waiting until it has, or time is up. TCP only.
    Outcome outcome(Milliseconds timeout) const;
    std::optional<Socket> accept(Milliseconds timeout = patience) const;
    bool send(std::string_view text) const;
    // What arrives within the time, all that is there at that moment.
    std::optional<std::string> receive(Milliseconds timeout = patience) const;
    // Of a bound UDP socket: fixes its peer to the sender of the next datagram.
    std::optional<std::string> receive_and_connect(Milliseconds timeout = patience) const;

private:
    ebpfd::Fd fd_;
};

// An open connection with both ends in the test's hands.
struct Connection {
    Socket client;
    Socket server;

    // Whether a text sent at one end arrives at the other; in time, or within silence.
    bool carries_to_server(Milliseconds timeout = patience) const;
    bool carries_to_client(Milliseconds timeout = patience) const;
};

// Opens a connection to the machine's port, which nobody may be listening on yet.
std::optional<Connection> open_connection(const Machine& from, const Machine& to, Family family,
                                          Transport transport, uint16_t port);

// Answers on TCP and UDP ports of many machines, echoing what it gets, on a thread of its own.
class EchoServer {
public:
    EchoServer();
    ~EchoServer();
    EchoServer(const EchoServer&) = delete;
    EchoServer& operator=(const EchoServer&) = delete;
    // False: the port could not be opened.
    bool serve(const Machine& machine, Transport transport, uint16_t port);

private:
    void loop(const std::stop_token& stop);
    void answer(int fd);

    ebpfd::Fd epoll_;
    std::vector<Socket> listeners_; // written before, or never read by, the thread
    std::jthread thread_;
};

} // namespace lab
