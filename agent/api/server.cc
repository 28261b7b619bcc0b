// SPDX-License-Identifier: Apache-2.0
#include "api/server.h"

#include "api/connections.h"
#include "api/port_listener.h"

#include <atomic>
#include <cerrno>
#include <fmt/format.h>
#include <future>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <set>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;

constexpr size_t question_threads = 16; // a stream holds one more
constexpr auto silence = 2s; // of a client that has connected and asks nothing
constexpr size_t body_bytes = 64 << 10;

HttpRequest request_of(const httplib::Request& request)
{
    HttpRequest out;
    for (size_t i = 1; i < request.matches.size(); i++)
        out.captures.push_back(request.matches[i]);
    out.query = request.params;
    return out;
}

void send(httplib::Response& response, const HttpReply& reply)
{
    response.status = reply.status;
    response.set_content(reply.body, reply.content_type);
}

class Server final : public HttpServer {
public:
    Server(std::vector<HttpRoute> routes, std::unique_ptr<Listener> listener)
        : routes_(std::move(routes)), listener_(std::move(listener)), server_(*listener_)
    {
        for (const auto& route : routes_)
            add(route);
        // One request a connection: no thread waits for a client that has nothing to ask.
        server_.set_keep_alive_max_count(1);
        server_.set_keep_alive_timeout(std::chrono::seconds(silence).count());
        server_.set_read_timeout(silence);
        server_.set_payload_max_length(body_bytes);
        // httplib's own choice, SO_REUSEPORT, would let two agents share a port.
        server_.set_socket_options([](int fd) {
            const int yes = 1;
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        });
        server_.set_exception_handler(
            [](const httplib::Request& request, httplib::Response& response, std::exception_ptr) {
                spdlog::error("{} {}: the handler failed", request.method, request.path);
                send(response, error_reply(500, "internal error; the agent's log says more"));
            });
        server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
            if (response.body.empty())
                send(response, error_reply(response.status, "no such request"));
        });
    }
    ~Server() override { stop(); }

    Result<void> listen_on_socket(const std::string& path, StreamLimits limits)
    {
        if (path.size() >= sizeof sockaddr_un::sun_path)
            return fail(ENAMETOOLONG, fmt::format("{}: path too long for a socket", path));
        server_.set_address_family(AF_UNIX);
        limits_ = limits;
        server_.new_task_queue = [=] {
            return new httplib::ThreadPool(question_threads + limits.streams);
        };
        server_.set_write_timeout(limits.patience);
        server_.set_payload_max_length(MAX_BODY_BYTES);
        unlink(path.c_str());
        const mode_t before = umask(0177);
        errno = 0;
        const bool bound = server_.bind_to_port(path, 80);
        const int code = errno;
        umask(before);
        return bound ? lengthen_queue() : fail_errno("listen on " + path, code);
    }

    Result<void> listen_on_port(const std::string& address, uint16_t port)
    {
        errno = 0;
        if (!server_.bind_to_port(address, port))
            return fail_errno(fmt::format("listen on {} port {}", address, port));
        return lengthen_queue();
    }

    void serve() override
    {
        place_ = listening_place(server_.socket());
        std::promise<void> end;
        ended_ = end.get_future();
        thread_ = std::thread([this, end = std::move(end)]() mutable {
            server_.listen_after_bind();
            end.set_value();
        });
        // stop() has no effect on a server that does not run yet.
        while (!server_.is_running() && ended_.wait_for(1ms) == std::future_status::timeout)
            ;
    }

    void stop() override
    {
        if (!thread_.joinable())
            return server_.close_unserved();
        stopping_ = true;
        server_.stop();
        // Again and again: one may have been accepted a moment ago.
        do
            cut_connections(place_);
        while (ended_.wait_for(20ms) == std::future_status::timeout);
        thread_.join();
    }

private:
    // httplib's own queue is so short that a burst of clients is refused.
    Result<void> lengthen_queue()
    {
        if (listen(server_.socket(), SOMAXCONN) != 0)
            return fail_errno("listen");
        return {};
    }

    void add(const HttpRoute& route)
    {
        const auto handler = [this, &route](const httplib::Request& request,
                                            httplib::Response& response) {
            if (route.stream)
                stream(route, request, response);
            else
                send(response, route.answer(request_of(request)));
        };
        if (route.method == "GET") {
            server_.Get(route.pattern, handler);
            return;
        }
        // A body that nobody looks at is not read: without a length it would be waited for.
        server_.Post(route.pattern,
                     [&route](const httplib::Request& request, httplib::Response& response,
                              const httplib::ContentReader& content) {
                         HttpRequest asked = request_of(request);
                         if (!route.reads_body || read_body(request, response, content, asked.body))
                             send(response, route.answer(asked));
                     });
    }

    // Returns whether there is one that may be answered; else the response says why not.
    static bool read_body(const httplib::Request& request, httplib::Response& response,
                          const httplib::ContentReader& content, std::string& body)
    {
        if (!request.has_header("Content-Length")) {
            send(response, error_reply(411, "a request with a body says how long it is"));
            return false;
        }
        if (request.is_multipart_form_data()) { // httplib reads those in another way
            send(response, error_reply(415, "a body in parts is not understood"));
            return false;
        }
        // Its length is checked before it is read; compressed, it may be longer than it says.
        const bool read = content([&](const char* data, size_t size) {
            body.append(data, size);
            return body.size() <= MAX_BODY_BYTES;
        });
        if (read)
            return true;
        const bool too_long = response.status == 413 || body.size() > MAX_BODY_BYTES;
        send(response,
             too_long ? error_reply(413, fmt::format("the request has more than the {} MiB that "
                                                     "the agent reads",
                                                     MAX_BODY_BYTES >> 20))
                      : error_reply(400, "the request ended early"));
        return false;
    }

    // A place among the streams for as long as the pointer lives; nullptr: there is none left.
    std::shared_ptr<void> take_place()
    {
        if (streams_.fetch_add(1) < limits_.streams)
            return {this, [this](void*) { streams_--; }};
        streams_--;
        return nullptr;
    }

    void stream(const HttpRoute& route, const httplib::Request& request,
                httplib::Response& response)
    {
        const auto place = take_place();
        if (!place)
            return send(response, error_reply(503, fmt::format("all places for streams are taken, "
                                                               "{} of them: see --max-watchers",
                                                               limits_.streams)));
        StreamReply reply = route.stream(request_of(request));
        if (const auto* refusal = std::get_if<HttpReply>(&reply))
            return send(response, *refusal);
        response.set_chunked_content_provider(
            "application/x-ndjson",
            [this, place, source = std::get<LineSource>(std::move(reply))](
                size_t, httplib::DataSink& sink) { return send_lines(source, sink); });
    }

    // Returns whether the client is still there.
    bool send_lines(const LineSource& source, httplib::DataSink& sink) const
    {
        const auto start = std::chrono::steady_clock::now();
        const auto lines = stopping_ ? std::nullopt : source.next();
        if (!lines) {
            sink.done();
            return true;
        }
        // Both wait until the client takes something, but no longer than their patience.
        if (sink.is_writable() && (lines->empty() || sink.write(lines->data(), lines->size())))
            return true;
        if (source.cut_off && std::chrono::steady_clock::now() - start >= limits_.patience)
            source.cut_off();
        return false;
    }

    std::vector<HttpRoute> routes_;
    std::unique_ptr<Listener> listener_;
    Listener& server_;
    std::string place_;
    StreamLimits limits_;
    std::atomic<size_t> streams_ = 0;
    std::atomic<bool> stopping_ = false;
    std::future<void> ended_;
    std::thread thread_;
};

} // namespace

std::string HttpRequest::value(const std::string& name, std::string_view fallback) const
{
    const auto found = query.find(name);
    return found == query.end() ? std::string(fallback) : found->second;
}

HttpReply error_reply(int status, std::string_view sentence)
{
    const nlohmann::json body{{"error", sentence}};
    return {.status = status,
            .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
            .content_type = "application/json"};
}

Result<std::unique_ptr<HttpServer>>
HttpServer::on_socket(const std::string& path, std::vector<HttpRoute> routes, StreamLimits limits)
{
    auto server = std::make_unique<Server>(std::move(routes), std::make_unique<Listener>());
    if (auto listening = server->listen_on_socket(path, limits); !listening)
        return std::unexpected(listening.error());
    return server;
}

Result<std::unique_ptr<HttpServer>> HttpServer::on_port(const std::string& address, uint16_t port,
                                                        std::vector<HttpRoute> routes)
{
    std::set<std::string> prompt;
    for (const auto& route : routes)
        if (route.prompt)
            prompt.insert(route.pattern);
    auto listener = std::make_unique<PortListener>(std::move(prompt));
    auto server = std::make_unique<Server>(std::move(routes), std::move(listener));
    if (auto listening = server->listen_on_port(address, port); !listening)
        return std::unexpected(listening.error());
    return server;
}

} // namespace ebpfd
