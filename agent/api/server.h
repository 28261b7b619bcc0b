// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// A small HTTP server for the agent. It knows no other module: what it answers is given as
// functions, which are called from several threads at once.
namespace ebpfd {

struct HttpRequest {
    std::vector<std::string> captures; // groups of the route's pattern, decoded
    std::multimap<std::string, std::string> query;
    std::string body{}; // of a POST to a route that reads it

    // The first value of that name, or fallback.
    std::string value(const std::string& name, std::string_view fallback = "") const;
};

struct HttpReply {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
};

// {"error": sentence}.
HttpReply error_reply(int status, std::string_view sentence);

// What a stream's client gets.
struct LineSource {
    // Waits a fraction of a second for lines and returns them, each with its end; an empty
    // string if there were none, no value at the end of the stream.
    std::function<std::optional<std::string>()> next;
    // Told before the end of a client that took nothing for too long.
    std::function<void()> cut_off = {};

    std::optional<std::string> operator()() const { return next(); }
};

// What a stream's route answers: its lines, or why there are none.
using StreamReply = std::variant<LineSource, HttpReply>;

struct HttpRoute {
    std::string method;  // GET or POST
    std::string pattern; // regular expression of the whole path
    std::function<HttpReply(const HttpRequest&)> answer;
    std::function<StreamReply(const HttpRequest&)> stream; // in place of answer
    bool reads_body = false; // of a POST; one beyond MAX_BODY_BYTES is refused with 413
    // On a port: has a thread that no other path's clients hold. Its pattern is the path itself, and
    // its answer short.
    bool prompt = false;
};

inline constexpr size_t MAX_BODY_BYTES = size_t{16} << 20;

// What clients of the unix socket may take.
struct StreamLimits {
    size_t streams = 16; // at a time; one more is refused with 503
    // A stream's client that takes nothing for so long is cut off, since it holds a thread.
    std::chrono::milliseconds patience = std::chrono::seconds(10);
};

class HttpServer {
public:
    // Listens on a unix socket of mode 0600: clients wait until serve(); one that is there already
    // is taken for stale and removed: only who holds the runtime folder's lock may call this.
    static Result<std::unique_ptr<HttpServer>>
    on_socket(const std::string& path, std::vector<HttpRoute> routes, StreamLimits limits = {});
    // Listens on an IPv4 or IPv6 address.
    static Result<std::unique_ptr<HttpServer>> on_port(const std::string& address, uint16_t port,
                                                       std::vector<HttpRoute> routes);
    virtual ~HttpServer() = default;

    // From now on clients are answered.
    virtual void serve() = 0;
    // Ends streams, cuts connections and waits for the threads; within a second unless a
    // handler is still at work. No handler is called afterwards.
    virtual void stop() = 0;
};

} // namespace ebpfd
