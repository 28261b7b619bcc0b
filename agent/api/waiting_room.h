// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace ebpfd {

// Where clients of an open port wait until they have asked: for an HTTP request without a body,
// up to its empty line. One thread reads from them all, so that no number of silent or slow
// ones takes a thread from who asks. When it is full, the one that came first has to go.
class WaitingRoom {
public:
    static constexpr size_t PLACES = 256;
    static constexpr size_t REQUEST_BYTES = 8192;

    // asked: called by the room's thread with a client and its whole request; may not block.
    using Asked = std::function<void(Fd client, std::string request)>;
    static Result<std::unique_ptr<WaitingRoom>> open(std::chrono::milliseconds patience,
                                                     Asked asked);
    ~WaitingRoom();

    // From any thread. A client that has not asked after patience is gone.
    void enter(Fd client);

private:
    using Clock = std::chrono::steady_clock;
    struct Client {
        Fd fd;
        Clock::time_point until;
        std::string request{};
    };
    using Clients = std::list<Client>; // the first one first

    WaitingRoom(Fd epoll, Fd wake, std::chrono::milliseconds patience, Asked asked);
    void run();
    void wake_up() const;
    int milliseconds_left();
    void read_from(int fd);
    void drop_late();

    const Fd epoll_;
    const Fd wake_;
    std::atomic<bool> stopping_ = false;
    const std::chrono::milliseconds patience_;
    const Asked asked_;
    std::mutex mutex_;
    Clients clients_;
    std::map<int, Clients::iterator> by_fd_;
    std::thread thread_;
};

} // namespace ebpfd
