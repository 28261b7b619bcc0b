// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "wake_ups.h"

#include <optional>
#include <string>

namespace ebpfd {

// Whoever started the agent and wants to know how it is, as sd_notify(3) has it; nobody, where
// there is no NOTIFY_SOCKET. The protocol is one datagram of text. libsystemd would bring five
// libraries into a process that may change what every pod may send.
class Supervisor {
public:
    // Reads NOTIFY_SOCKET and WATCHDOG_USEC, and removes both from the environment. What is wrong
    // with them is logged: nothing is enforced less for it.
    static Supervisor from_environment();

    // Readable when a sign of life is due; -1: none is wanted.
    int fd() const { return watchdog_ ? watchdog_->fd() : -1; }
    // Says that the main loop turns, if that is due.
    void keep_alive();
    // Enforcing; the second call and later ones end a reload.
    void ready();
    bool is_ready() const { return ready_; }
    // The start takes longer than planned, with this to say.
    void still_starting();
    void reloading();
    void stopping();
    // One line, for `systemctl status`.
    void status(const std::string& text);

private:
    void send(const std::string& text) const;

    Fd socket_;
    std::optional<Ticker> watchdog_;
    std::string status_;
    bool ready_ = false;
};

} // namespace ebpfd
