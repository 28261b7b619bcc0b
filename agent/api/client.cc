// SPDX-License-Identifier: Apache-2.0
#include "api/client.h"

#include "base/fd.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <httplib.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>

namespace ebpfd {
namespace {

using std::chrono::milliseconds;

// httplib hides why it could not connect; connecting once more tells.
std::unexpected<Error> why_unreachable(const std::string& socket_path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.size() >= sizeof address.sun_path)
        return fail(EINVAL, fmt::format("{}: path too long for a socket", socket_path));
    std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
    const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return fail(EIO, fmt::format("{}: the agent does not answer", socket_path));
    if (errno == EACCES || errno == EPERM)
        return fail(EACCES, fmt::format("{}: permission denied; try as root", socket_path));
    const int code = errno;
    return fail(ECONNREFUSED, fmt::format("no agent answers at {} ({}); is ebpfd running with this "
                                          "--runtime-dir?",
                                          socket_path, strerror(code)));
}

std::unexpected<Error> transport_error(const std::string& socket_path, httplib::Error error,
                                       bool late = false)
{
    switch (error) {
    case httplib::Error::Connection:
        return why_unreachable(socket_path);
    case httplib::Error::ConnectionTimeout:
        return fail(ETIMEDOUT, fmt::format("{}: no connection in time", socket_path));
    case httplib::Error::Read:
        return late ? fail(ETIMEDOUT, fmt::format("{}: no answer in time", socket_path))
                    : fail(EIO, fmt::format("{}: connection lost", socket_path));
    default:
        return fail(EIO, fmt::format("{}: {}", socket_path, httplib::to_string(error)));
    }
}

int code_of_status(int status)
{
    switch (status) {
    case 400:
        return EINVAL;
    case 404:
        return ENOENT;
    case 413:
        return EFBIG;
    case 504:
        return ETIMEDOUT;
    default:
        return EIO;
    }
}

std::unexpected<Error> status_error(int status, const std::string& body)
{
    const auto json = nlohmann::json::parse(body, nullptr, false);
    const bool told = json.is_object() && json.contains("error") && json["error"].is_string();
    return fail(code_of_status(status), told ? json["error"].get<std::string>()
                                             : fmt::format("the agent answers HTTP {}", status));
}

void set_up(httplib::Client& client, milliseconds timeout)
{
    client.set_address_family(AF_UNIX);
    client.set_connection_timeout(timeout);
    client.set_read_timeout(timeout);
    client.set_write_timeout(timeout);
    // No compression: over a local socket it only costs, and it would hold lines back.
    client.set_default_headers({{"Host", "ebpfd"}, {"Accept-Encoding", "identity"}});
}

Result<std::string> ask(const std::string& socket_path, milliseconds timeout,
                        const std::function<httplib::Result(httplib::Client&)>& request)
{
    const auto start = std::chrono::steady_clock::now();
    httplib::Client client(socket_path, 80);
    set_up(client, timeout);
    const auto answer = request(client);
    if (!answer)
        return transport_error(socket_path, answer.error(),
                               std::chrono::steady_clock::now() - start >= timeout);
    if (answer->status != 200)
        return status_error(answer->status, answer->body);
    return answer->body;
}

// Cuts what arrives into lines; empty ones, signs of life, are left out.
class LineCutter {
public:
    explicit LineCutter(const std::function<bool(std::string_view)>& line) : line_(line) {}

    bool feed(std::string_view data)
    {
        for (size_t end; (end = data.find('\n')) != data.npos; data.remove_prefix(end + 1)) {
            rest_ += data.substr(0, end);
            if (!rest_.empty() && !line_(rest_))
                return false;
            rest_.clear();
        }
        rest_ += data;
        return true;
    }

private:
    const std::function<bool(std::string_view)>& line_;
    std::string rest_;
};

} // namespace

Result<std::string> api_get(const std::string& socket_path, const std::string& path,
                            milliseconds timeout)
{
    return ask(socket_path, timeout, [&](httplib::Client& client) { return client.Get(path); });
}

Result<std::string> api_post(const std::string& socket_path, const std::string& path,
                             const std::string& body, milliseconds timeout)
{
    return ask(socket_path, timeout, [&](httplib::Client& client) {
        return client.Post(path, body, "application/json");
    });
}

Result<void> api_stream(const std::string& socket_path, const std::string& path,
                        const std::function<bool(std::string_view line)>& line)
{
    httplib::Client client(socket_path, 80);
    set_up(client, std::chrono::seconds(10));
    client.set_read_timeout(std::chrono::hours(24 * 365));
    LineCutter cutter(line);
    int status = 0;
    bool wanted = true;
    std::string refusal;
    const auto answer = client.Get(
        path, httplib::Headers{},
        [&](const httplib::Response& response) {
            status = response.status;
            return true;
        },
        [&](const char* data, size_t size) {
            if (status != 200) {
                refusal.append(data, size);
                return true;
            }
            wanted = cutter.feed({data, size});
            return wanted;
        });
    if (status != 0 && status != 200)
        return status_error(status, refusal);
    if (!answer && wanted)
        return transport_error(socket_path, answer.error());
    return {};
}

std::string url_encode(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

} // namespace ebpfd
