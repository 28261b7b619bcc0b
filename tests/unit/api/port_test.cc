// SPDX-License-Identifier: Apache-2.0
#include "api/server.h"
#include "base/fd.h"

#include <array>
#include <chrono>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <vector>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr size_t long_answer = size_t{32} << 20; // more than a socket takes

HttpRoute get(std::string path, std::string body, bool prompt)
{
    return {.method = "GET",
            .pattern = std::move(path),
            .answer = [body = std::move(body)](const auto&) { return HttpReply{.body = body}; },
            .stream = {},
            .prompt = prompt};
}

// A port that anybody may connect to.
class Port : public testing::Test {
protected:
    Port()
    {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        {
            const Fd free = open_socket();
            socklen_t length = sizeof address_;
            EXPECT_EQ(bind(free.get(), generic(), length), 0);
            EXPECT_EQ(getsockname(free.get(), generic(), &length), 0);
        }
        auto server = HttpServer::on_port("127.0.0.1", ntohs(address_.sin_port),
                                          {get("/healthz", "alive", true), get("/", "root", false),
                                           get("/long", std::string(long_answer, 'x'), false)});
        EXPECT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
        server_->serve();
    }

    static Fd open_socket() { return Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
    sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }
    Fd client(std::string_view text)
    {
        Fd fd = open_socket();
        EXPECT_EQ(connect(fd.get(), generic(), sizeof address_), 0);
        say(fd, text);
        return fd;
    }
    static void say(const Fd& fd, std::string_view text)
    {
        EXPECT_EQ(send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }
    // Everything until the server closes; "late" if it does not within the time.
    static std::string answer(const Fd& fd, std::chrono::milliseconds patience = 10s)
    {
        std::string out;
        for (const auto until = Clock::now() + patience;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
            pollfd wanted{.fd = fd.get(), .events = POLLIN, .revents = 0};
            if (left <= 0ms || poll(&wanted, 1, static_cast<int>(left.count())) == 0)
                return "late";
            std::array<char, 65536> piece{};
            const ssize_t size = recv(fd.get(), piece.data(), piece.size(), 0);
            if (size <= 0)
                return out;
            out.append(piece.data(), static_cast<size_t>(size));
        }
    }
    std::string ask(const std::string& path, std::chrono::milliseconds patience = 10s)
    {
        return answer(client("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"), patience);
    }
    static testing::AssertionResult ends_with(const std::string& text, const std::string& end)
    {
        return text.ends_with(end) ? testing::AssertionSuccess()
                                   : testing::AssertionFailure() << text.substr(0, 500);
    }

    sockaddr_in address_{};
    std::unique_ptr<HttpServer> server_;
};

TEST_F(Port, AnswersAndCloses)
{
    EXPECT_TRUE(ends_with(ask("/healthz?verbose=1"), "alive"));
    EXPECT_TRUE(ends_with(ask("/"), "root"));
    EXPECT_EQ(ask("/none").substr(0, 12), "HTTP/1.1 404");
    EXPECT_EQ(ask("/long").size() > long_answer, true);
}

TEST_F(Port, RequestMayComeInPieces)
{
    const Fd slow = client("GET /hea");
    EXPECT_TRUE(ends_with(ask("/"), "root"));
    say(slow, "lthz HTTP/1.1\r\nHost: a\r\n");
    EXPECT_TRUE(ends_with(ask("/"), "root"));
    say(slow, "\r\n");
    EXPECT_TRUE(ends_with(answer(slow), "alive"));
}

TEST_F(Port, WhoAsksNothingOrTooMuchIsClosed)
{
    const Fd silent = client("");
    const Fd dripping = client("GET / HTTP/1.1\r\n");
    EXPECT_EQ(answer(client("GET /" + std::string(9000, 'x'))), "");
    EXPECT_EQ(answer(silent), "");
    EXPECT_EQ(answer(dripping), "");
}

TEST_F(Port, ProbesWaitForNobody)
{
    std::vector<Fd> others;
    for (int i = 0; i < 300; ++i)
        others.push_back(client(i % 2 == 0 ? "" : "GET /healthz HTTP/1.1\r\n"));
    for (int i = 0; i < 20; ++i) // these hold all threads of other paths, and take nothing
        others.push_back(client("GET /long HTTP/1.1\r\nHost: a\r\n\r\n"));
    for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(ends_with(ask("/healthz", 1s), "alive"));
}

TEST_F(Port, WhoTakesNothingIsGivenUp)
{
    std::vector<Fd> others;
    for (int i = 0; i < 6; ++i)
        others.push_back(client("GET /long HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_TRUE(ends_with(ask("/", 15s), "root"));
}

TEST_F(Port, EndsAtOnce)
{
    const Fd silent = client("");
    const Fd stuck = client("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(ends_with(ask("/healthz"), "alive"));
    const auto start = Clock::now();
    server_->stop();
    EXPECT_LT(Clock::now() - start, 900ms);
}

} // namespace
} // namespace ebpfd
