// SPDX-License-Identifier: Apache-2.0
// The agent's socket: any bytes that a peer sends, in a connection of their own.
#include "api/server.h"
#include "base/fd.h"
#include "fuzz/target.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace ebpfd;

namespace fuzz {
namespace {

std::string socket_path()
{
    return fmt::format("/tmp/ebpfd-fuzz-http-{}.sock", getpid());
}

// Routes of the same shapes as the agent's.
std::vector<HttpRoute> routes()
{
    const auto echo = [](const HttpRequest& request) {
        std::string text = request.body;
        for (const auto& capture : request.captures)
            text += capture;
        for (const auto& [name, value] : request.query)
            text += name + value;
        return HttpReply{.body = std::move(text)};
    };
    const auto lines = [](const HttpRequest&) -> StreamReply {
        return LineSource{.next = [left = 2]() mutable -> std::optional<std::string> {
            return left-- > 0 ? std::optional<std::string>("line\n") : std::nullopt;
        }};
    };
    return {{"GET", "/v1/status", echo, {}},
            {"GET", "/v1/policies/([^/]+)/([^/]+)", echo, {}},
            {"POST", "/v1/rescan", echo, {}},
            {"POST", "/v1/policy/impact", echo, {}, true},
            {"GET", "/v1/observe", {}, lines}};
}

// Lives as long as the process: as in the agent, one server for all peers. Its threads get no
// signal, as in the agent; libFuzzer's alarm would end their accept().
HttpServer& server()
{
    static const auto running = [] {
        auto made = HttpServer::on_socket(socket_path(), routes());
        expect(made.has_value(), "the server listens");
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        (*made)->serve();
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return std::move(*made);
    }();
    return *running;
}

Fd connected()
{
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    socket_path().copy(address.sun_path, sizeof(address.sun_path) - 1);
    expect(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0,
           "the server takes connections");
    return fd;
}

// Waits for bytes, or for the end. libFuzzer's alarm may come in between.
bool has_something(int fd)
{
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    int ready = -1;
    do
        ready = poll(&waiting, 1, 5000);
    while (ready < 0 && errno == EINTR);
    return ready == 1;
}

// Until the server has hung up: at once, or when a peer that asks no more has ended.
std::string answer_to(std::string_view input, bool ended)
{
    const Fd fd = connected();
    (void)send(fd.get(), input.data(), input.size(), MSG_NOSIGNAL);
    if (ended)
        shutdown(fd.get(), SHUT_WR);
    std::string answer;
    std::array<char, 4096> buffer;
    while (true) {
        expect(has_something(fd.get()), "the server answers or hangs up");
        const ssize_t size = recv(fd.get(), buffer.data(), buffer.size(), 0);
        if (size <= 0)
            return answer;
        answer.append(buffer.data(), static_cast<size_t>(size));
    }
}

} // namespace

void try_input(std::string_view input)
{
    server();
    const std::string answer = answer_to(input, true);
    expect(answer.empty() || answer.starts_with("HTTP/1."), "an answer is HTTP");
    const std::string after = answer_to("GET /v1/status HTTP/1.1\r\n\r\n", false);
    expect(after.starts_with("HTTP/1.1 200"), "the next peer is answered");
}

} // namespace fuzz
