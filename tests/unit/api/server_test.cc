// SPDX-License-Identifier: Apache-2.0
#include "api/client.h"
#include "api/server.h"
#include "base/fd.h"

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Server : public testing::Test {
protected:
    Server()
    {
        std::string name = (std::filesystem::temp_directory_path() / "ebpfd-api-XXXXXX").string();
        dir_ = mkdtemp(name.data());
        socket_ = dir_ + "/ebpfd.sock";
    }
    ~Server() override
    {
        server_.reset();
        std::filesystem::remove_all(dir_);
    }

    void serve(std::vector<HttpRoute> routes, StreamLimits limits = {})
    {
        auto server = HttpServer::on_socket(socket_, std::move(routes), limits);
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
        server_->serve();
    }

    // A stream that says "tick" when pending_ is above 0, and is quiet else.
    HttpRoute ticking()
    {
        return {.method = "GET", .pattern = "/ticks", .answer = {}, .stream = [this](const auto&) {
                    auto alive = std::shared_ptr<void>(nullptr, [this](void*) { streams_--; });
                    streams_++;
                    return LineSource([this, alive]() -> std::optional<std::string> {
                        std::this_thread::sleep_for(2ms);
                        return pending_.fetch_sub(1) > 0 ? "tick\n" : (pending_++, "");
                    });
                }};
    }

    template <class Condition> static bool eventually(Condition&& condition)
    {
        for (const auto end = Clock::now() + 5s; Clock::now() < end;) {
            if (condition())
                return true;
            std::this_thread::sleep_for(1ms);
        }
        return condition();
    }

    std::string dir_;
    std::string socket_;
    std::unique_ptr<HttpServer> server_;
    std::atomic<int> pending_ = 0;
    std::atomic<int> streams_ = 0;
};

HttpRoute echo()
{
    return {.method = "GET",
            .pattern = "/v1/policies/([^/]+)/([^/]+)",
            .answer =
                [](const HttpRequest& request) {
                    return HttpReply{.body = request.captures[0] + " " + request.captures[1] + " " +
                                             request.value("q", "none")};
                },
            .stream = {}};
}

TEST_F(Server, AnswersWithCapturesAndQuery)
{
    serve({echo()});
    EXPECT_EQ(api_get(socket_, "/v1/policies/web/allow?q=a%2Fb").value(), "web allow a/b");
    EXPECT_EQ(api_get(socket_, "/v1/policies/web/allow").value(), "web allow none");
}

TEST_F(Server, SocketIsForItsOwnerOnly)
{
    serve({echo()});
    struct stat status {};
    ASSERT_EQ(stat(socket_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(Server, StaleSocketIsReplaced)
{
    serve({echo()});
    server_->stop();
    serve({echo()});
    EXPECT_TRUE(api_get(socket_, "/v1/policies/a/b"));
}

TEST_F(Server, ErrorsCarryTheirSentenceAndCode)
{
    const auto failing = [](int status) {
        return HttpRoute{.method = "GET",
                         .pattern = "/" + std::to_string(status),
                         .answer = [=](const auto&) { return error_reply(status, "because"); },
                         .stream = {}};
    };
    serve({failing(404), failing(400), failing(504)});
    for (const auto& [path, code] :
         {std::pair{"/404", ENOENT}, std::pair{"/400", EINVAL}, std::pair{"/504", ETIMEDOUT}}) {
        const auto answer = api_get(socket_, path);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, code);
        EXPECT_EQ(answer.error().message, "because");
    }
    EXPECT_EQ(api_get(socket_, "/unknown").error().code, ENOENT);
    EXPECT_EQ(api_post(socket_, "/404", "").error().code, ENOENT);
}

// A client of its own that connects and says only this.
Fd raw_client(const std::string& path, std::string_view text)
{
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return fd;
}

HttpRoute length_of_body(bool reads_body)
{
    return {.method = "POST",
            .pattern = "/length",
            .answer =
                [](const HttpRequest& request) {
                    return HttpReply{.body = std::to_string(request.body.size())};
                },
            .stream = {},
            .reads_body = reads_body};
}

TEST_F(Server, BodiesAreReadUpToTheirBound)
{
    serve({length_of_body(true)});
    EXPECT_EQ(api_post(socket_, "/length", "").value(), "0");
    EXPECT_EQ(api_post(socket_, "/length", std::string(MAX_BODY_BYTES, 'x')).value(),
              std::to_string(MAX_BODY_BYTES));
    const auto answer = api_post(socket_, "/length", std::string(MAX_BODY_BYTES + 1, 'x'));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, EFBIG) << answer.error().message;
    EXPECT_NE(answer.error().message.find("16 MiB"), std::string::npos);
}

TEST_F(Server, BodiesThatNobodyWantsAreNotRead)
{
    serve({length_of_body(false)});
    EXPECT_EQ(api_post(socket_, "/length", "four").value(), "0");
}

TEST_F(Server, ABodyWithoutALengthIsRefused)
{
    serve({length_of_body(true)});
    const Fd client = raw_client(socket_, "POST /length HTTP/1.1\r\nHost: a\r\n\r\n");
    std::array<char, 256> answer{};
    ASSERT_GT(read(client.get(), answer.data(), answer.size()), 0);
    EXPECT_NE(std::string(answer.data()).find(" 411 "), std::string::npos) << answer.data();
}

TEST_F(Server, ABodyInPartsIsRefused)
{
    serve({length_of_body(true)});
    const Fd client =
        raw_client(socket_, "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                            "Content-Type: multipart/form-data; boundary=x\r\n\r\nfour");
    std::array<char, 256> answer{};
    ASSERT_GT(read(client.get(), answer.data(), answer.size()), 0);
    EXPECT_NE(std::string(answer.data()).find(" 415 "), std::string::npos) << answer.data();
}

TEST_F(Server, HandlerThatThrowsIsAnErrorOfTheRequestOnly)
{
    serve({{.method = "GET",
            .pattern = "/throw",
            .answer = [](const auto&) -> HttpReply { throw std::runtime_error("x"); },
            .stream = {}},
           echo()});
    EXPECT_EQ(api_get(socket_, "/throw").error().code, EIO);
    EXPECT_TRUE(api_get(socket_, "/v1/policies/a/b"));
}

TEST_F(Server, MissingOrDeadSocketMeansNoAgent)
{
    EXPECT_EQ(api_get(socket_, "/").error().code, ECONNREFUSED);
    serve({echo()});
    server_->stop();
    EXPECT_EQ(api_get(socket_, "/").error().code, ECONNREFUSED);
}

TEST_F(Server, AnswerThatTakesTooLongIsATimeout)
{
    std::atomic<bool> release = false;
    serve({{.method = "GET",
            .pattern = "/slow",
            .answer =
                [&](const auto&) {
                    eventually([&] { return release.load(); });
                    return HttpReply{};
                },
            .stream = {}}});
    EXPECT_EQ(api_get(socket_, "/slow", 50ms).error().code, ETIMEDOUT);
    release = true;
    server_->stop();
}

TEST_F(Server, StreamDeliversLinesUntilTheReaderHasEnough)
{
    pending_ = 10;
    serve({ticking()});
    int seen = 0;
    const auto result = api_stream(socket_, "/ticks", [&](std::string_view line) {
        EXPECT_EQ(line, "tick");
        return ++seen < 4;
    });
    EXPECT_TRUE(result);
    EXPECT_EQ(seen, 4);
    EXPECT_TRUE(eventually([&] { return streams_ == 0; })) << "the stream outlives its client";
}

TEST_F(Server, StreamMayRefuse)
{
    serve({{.method = "GET", .pattern = "/s", .answer = {}, .stream = [](const auto&) {
                return error_reply(400, "unknown filter \"x\"");
            }}});
    const auto result = api_stream(socket_, "/s", [](auto) { return true; });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, EINVAL);
    EXPECT_EQ(result.error().message, "unknown filter \"x\"");
}

TEST_F(Server, TenStreamsDoNotBlockAQuestion)
{
    serve({ticking(), echo()});
    std::vector<std::thread> readers;
    for (int i = 0; i < 10; i++)
        readers.emplace_back(
            [&] { (void)api_stream(socket_, "/ticks", [](auto) { return true; }); });
    EXPECT_TRUE(eventually([&] { return streams_ == 10; }));
    EXPECT_TRUE(api_get(socket_, "/v1/policies/a/b", 2s));
    server_->stop();
    for (auto& reader : readers)
        reader.join();
}

TEST_F(Server, PostWithoutALengthIsAnsweredAtOnce)
{
    serve({{.method = "POST",
            .pattern = "/now",
            .answer = [](const auto&) { return HttpReply{.body = "done"}; },
            .stream = {}}});
    const auto start = Clock::now();
    const Fd client = raw_client(socket_, "POST /now HTTP/1.1\r\nHost: a\r\n\r\n");
    char answer[16] = "";
    ASSERT_GT(read(client.get(), answer, sizeof answer - 1), 0);
    EXPECT_TRUE(std::string(answer).starts_with("HTTP/1.1 200"));
    EXPECT_LT(Clock::now() - start, 2s);
}

TEST_F(Server, StopCutsStreamsAndSilentAndStuckClients)
{
    pending_ = 1 << 30;
    serve(
        {ticking(), {.method = "GET", .pattern = "/flood", .answer = {}, .stream = [](const auto&) {
                         return LineSource([] { return std::string(1 << 20, 'x') + "\n"; });
                     }}});
    std::thread reader([&] { (void)api_stream(socket_, "/ticks", [](auto) { return true; }); });
    const Fd silent = raw_client(socket_, "");
    const Fd half = raw_client(socket_, "GET /tic");
    const Fd stuck = raw_client(socket_, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return streams_ == 1; }));
    const auto start = Clock::now();
    server_->stop();
    EXPECT_LT(Clock::now() - start, 900ms);
    reader.join();
}

TEST_F(Server, ClientThatTakesNothingIsCutOffAndFreesItsPlace)
{
    std::atomic<int> cut = 0;
    serve({{.method = "GET",
            .pattern = "/flood",
            .answer = {},
            .stream =
                [&](const auto&) {
                    return LineSource{.next = [] { return std::string(1 << 20, 'x') + "\n"; },
                                      .cut_off = [&] { cut++; }};
                }}},
          {.streams = 1, .patience = 100ms});
    const Fd stuck = raw_client(socket_, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return cut == 1; }));
    size_t lines = 0;
    EXPECT_TRUE(eventually([&] {
        return api_stream(socket_, "/flood", [&](auto) { return ++lines < 3; }).has_value();
    }));
    EXPECT_EQ(lines, 3u);
    EXPECT_EQ(cut, 1) << "who leaves is not cut off";
}

TEST_F(Server, OneStreamTooManyIsToldSo)
{
    serve({ticking(), echo()}, {.streams = 1, .patience = 10s});
    std::thread first([&] { (void)api_stream(socket_, "/ticks", [](auto) { return true; }); });
    EXPECT_TRUE(eventually([&] { return streams_ == 1; }));
    const auto second = api_stream(socket_, "/ticks", [](auto) { return true; });
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("--max-watchers"), std::string::npos)
        << second.error().message;
    EXPECT_TRUE(api_get(socket_, "/v1/policies/a/b")) << "questions have threads of their own";
    server_->stop();
    first.join();
}

TEST_F(Server, SilentConnectionsDoNotKeepQuestionsWaiting)
{
    serve({echo()}, {.streams = 1, .patience = 10s});
    std::vector<Fd> silent;
    for (int i = 0; i < 40; i++)
        silent.push_back(raw_client(socket_, ""));
    EXPECT_TRUE(api_get(socket_, "/v1/policies/a/b", 9s));
}

TEST_F(Server, StreamEndsWhenItsClientGoesWithoutAWord)
{
    serve({ticking()});
    {
        const Fd client = raw_client(socket_, "GET /ticks HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_TRUE(eventually([&] { return streams_ == 1; }));
    }
    EXPECT_TRUE(eventually([&] { return streams_ == 0; })) << "nothing was ever sent to it";
}

TEST(TakenPort, IsAnError)
{
    const HttpRoute route{.method = "GET",
                          .pattern = "/healthz",
                          .answer = [](const auto&) { return HttpReply{.body = "ok"}; },
                          .stream = {}};
    const Fd taken(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ASSERT_EQ(bind(taken.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    ASSERT_EQ(listen(taken.get(), 1), 0);
    ASSERT_EQ(getsockname(taken.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    const auto server = HttpServer::on_port("127.0.0.1", ntohs(address.sin_port), {route});
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, EADDRINUSE) << server.error().message;
}

TEST(UrlEncode, KeepsOnlyWhatIsSafe)
{
    EXPECT_EQ(url_encode("ns/pod-1 &=é"), "ns%2Fpod-1%20%26%3D%C3%A9");
}

} // namespace
} // namespace ebpfd
