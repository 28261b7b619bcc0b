// SPDX-License-Identifier: Apache-2.0
#include "api/port_listener.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <utility>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto request_patience = 2s; // for a whole request
constexpr auto answer_patience = 5s;  // for a client that takes a whole answer
constexpr size_t threads = 6;
constexpr size_t waiting_requests = 64; // for one of those threads; one more is closed

// A client whose request is read already, and who gets the answer within a limited time.
class Conversation final : public httplib::Stream {
public:
    Conversation(int fd, std::string request) : fd_(fd), request_(std::move(request)) {}

    bool is_readable() const override { return true; }
    bool is_writable() const override { return wait_for_room(); }
    ssize_t read(char* to, size_t size) override
    {
        const size_t count = std::min(size, request_.size() - read_);
        std::memcpy(to, request_.data() + read_, count);
        read_ += count;
        return static_cast<ssize_t>(count);
    }
    ssize_t write(const char* from, size_t size) override
    {
        size_t written = 0;
        while (written < size && wait_for_room()) {
            const ssize_t sent =
                send(fd_, from + written, size - written, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && errno != EAGAIN && errno != EINTR)
                return -1;
            written += static_cast<size_t>(std::max<ssize_t>(sent, 0));
        }
        return written == size ? static_cast<ssize_t>(size) : -1;
    }
    void get_remote_ip_and_port(std::string&, int&) const override {}
    void get_local_ip_and_port(std::string&, int&) const override {}
    socket_t socket() const override { return fd_; }

private:
    bool wait_for_room() const
    {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - Clock::now());
        pollfd wanted{.fd = fd_, .events = POLLOUT, .revents = 0};
        return left > 0ms && poll(&wanted, 1, static_cast<int>(left.count())) > 0;
    }

    const int fd_;
    const std::string request_;
    size_t read_ = 0;
    const Clock::time_point until_ = Clock::now() + answer_patience;
};

// "/metrics" of "GET /metrics?a=b HTTP/1.1".
std::string path_of(const std::string& request)
{
    const size_t begin = request.find(' ') + 1;
    const size_t end = request.find_first_of(" ?\r", begin);
    return begin == 0 || end == request.npos ? "" : request.substr(begin, end - begin);
}

} // namespace

// From the room to a thread. httplib makes it when it begins to listen, and shuts it down at the
// end.
class PortListener::Lanes final : public httplib::TaskQueue {
public:
    explicit Lanes(PortListener& server)
    {
        auto room =
            WaitingRoom::open(request_patience, [this, &server](Fd client, std::string request) {
                dispatch(server, std::make_shared<Fd>(std::move(client)), std::move(request));
            });
        if (room)
            room_ = std::move(*room);
        else
            spdlog::error("nobody is answered: {}", room.error().message);
    }

    // What httplib enqueues only hands the client over, so no thread is needed for it.
    void enqueue(std::function<void()> hand_over) override { hand_over(); }
    void enter(Fd client)
    {
        if (room_)
            room_->enter(std::move(client));
    }
    void shutdown() override
    {
        room_.reset();
        prompt_.shutdown();
        others_.shutdown();
    }

private:
    void dispatch(PortListener& server, std::shared_ptr<Fd> client, std::string request)
    {
        const bool prompt = server.prompt_paths_.contains(path_of(request));
        if (!prompt && waiting_.fetch_add(1) >= waiting_requests) {
            waiting_--;
            return;
        }
        (prompt ? prompt_ : others_)
            .enqueue([this, &server, prompt, client = std::move(client),
                      request = std::move(request)]() mutable {
                if (!prompt)
                    waiting_--;
                server.answer(*client, std::move(request));
                *client = Fd();
            });
    }

    std::atomic<size_t> waiting_ = 0;
    httplib::ThreadPool prompt_{1};
    httplib::ThreadPool others_{threads};
    std::unique_ptr<WaitingRoom> room_;
};

PortListener::PortListener(std::set<std::string> prompt_paths)
    : prompt_paths_(std::move(prompt_paths))
{
    new_task_queue = [this] { return lanes_ = new Lanes(*this); };
}

bool PortListener::process_and_close_socket(int client)
{
    lanes_->enter(Fd(client));
    return true;
}

void PortListener::answer(const Fd& client, std::string request)
{
    Conversation conversation(client.get(), std::move(request));
    bool closed = false;
    process_request(conversation, true, closed, nullptr);
    shutdown(client.get(), SHUT_WR);
}

} // namespace ebpfd
