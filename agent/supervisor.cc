// SPDX-License-Identifier: Apache-2.0
#include "supervisor.h"

#include "base/result.h"

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fmt/format.h>
#include <optional>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace ebpfd {
namespace {

using std::chrono::microseconds;

constexpr int start_seconds = 30; // asked for each few seconds

std::optional<std::string> take_variable(const char* name)
{
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0')
        return std::nullopt;
    std::string out(value);
    unsetenv(name);
    return out;
}

// "/path", or "@name" in the abstract namespace.
Result<Fd> connect_to(const std::string& name)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@'))
        return fail(EINVAL, fmt::format("\"{}\" is no address of a socket", name));
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
        return fail_errno("connect to " + name);
    return fd;
}

// How long the supervisor waits for a sign of life, if it wants any of this process.
std::optional<microseconds> patience()
{
    const auto text = take_variable("WATCHDOG_USEC");
    const auto pid = take_variable("WATCHDOG_PID");
    uint64_t usec = 0;
    if (!text || (pid && *pid != std::to_string(getpid())))
        return std::nullopt;
    const char* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, usec);
    if (error != std::errc{} || stop != end || usec == 0) {
        spdlog::warn("WATCHDOG_USEC \"{}\" is no number of microseconds: no signs of life are sent",
                     *text);
        return std::nullopt;
    }
    return microseconds(usec);
}

uint64_t monotonic_usec()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<uint64_t>(now.tv_nsec) / 1000;
}

} // namespace

Supervisor Supervisor::from_environment()
{
    Supervisor supervisor;
    const auto name = take_variable("NOTIFY_SOCKET");
    const auto wanted = patience();
    if (!name)
        return supervisor;
    auto socket = connect_to(*name);
    if (!socket) {
        spdlog::warn("NOTIFY_SOCKET: {}", socket.error().message);
        return supervisor;
    }
    supervisor.socket_ = std::move(*socket);
    if (!wanted)
        return supervisor;
    auto ticker = Ticker::every(*wanted / 2);
    if (ticker)
        supervisor.watchdog_ = std::move(*ticker);
    else
        spdlog::warn("no signs of life are sent: {}", ticker.error().message);
    return supervisor;
}

// One that is lost is followed by another; the main loop waits for none.
void Supervisor::send(const std::string& text) const
{
    if (socket_)
        (void)::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

void Supervisor::keep_alive()
{
    if (watchdog_ && watchdog_->ticked())
        send("WATCHDOG=1");
}

void Supervisor::ready()
{
    ready_ = true;
    send("READY=1");
}

void Supervisor::still_starting()
{
    send(fmt::format("EXTEND_TIMEOUT_USEC={}", start_seconds * 1'000'000));
}

void Supervisor::reloading()
{
    if (ready_)
        send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_usec()));
}

void Supervisor::stopping()
{
    send("STOPPING=1");
}

void Supervisor::status(const std::string& text)
{
    if (text == status_)
        return;
    status_ = text;
    send("STATUS=" + text.substr(0, text.find('\n')));
}

} // namespace ebpfd
