// SPDX-License-Identifier: Apache-2.0
#include "lab/load.h"

#include "lab/port_filter.h"
#include "lab/socket_address.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace lab {
namespace {

using namespace std::chrono_literals;

constexpr int round_ms = 1;
constexpr size_t asked_each_round = 2;
constexpr auto answer_within = 5s;     // on a machine that has more to do than cores
constexpr auto slow_after = 1s;        // as long as TCP waits before it sends a SYN again
constexpr auto refused_within = 300ms; // before TCP sends the SYN again
constexpr auto between_expiries = 50ms;
constexpr rlim_t descriptors = 8192;
constexpr int tap_bytes = 1 << 22;
constexpr uint16_t first_port = 10000; // below those that the kernel chooses
constexpr uint16_t last_port = 32000;

int in(Family family)
{
    return family == Family::v4 ? AF_INET : AF_INET6;
}

const char* any_address(Family family)
{
    return family == Family::v4 ? "0.0.0.0" : "::";
}

uint64_t retransmissions(int fd)
{
    tcp_info info{};
    socklen_t size = sizeof(info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_total_retrans : 0;
}

} // namespace

std::ostream& operator<<(std::ostream& out, const LoadCounts& counts)
{
    return out << fmt::format(
               "{} open connections: {} echoes, {} late, {} broken, {} segments sent again; "
               "new: {} made, {} of them slow, {} failed; refused: {}, {} leaked",
               counts.open, counts.echoes, counts.late, counts.broken, counts.retransmitted,
               counts.made, counts.slow, counts.failed, counts.refused, counts.leaked);
}

Load::Load(Family family) : family_(family), epoll_(epoll_create1(EPOLL_CLOEXEC))
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::max(limit.rlim_cur, descriptors);
    limit.rlim_max = std::max(limit.rlim_max, descriptors);
    setrlimit(RLIMIT_NOFILE, &limit);
}

Load::~Load() = default;

void Load::keep_open(const Route& route, size_t connections)
{
    kept_.emplace_back(route, connections);
}

void Load::make_new(const Route& route, Milliseconds interval)
{
    repeated_.push_back({route, Role::made, interval, {}});
}

void Load::try_refused(const Route& route, Milliseconds interval)
{
    repeated_.push_back({route, Role::refused, interval, {}});
}

bool Load::start(Milliseconds timeout)
{
    size_t wanted = 0;
    for (const auto& [route, connections] : kept_)
        wanted += connections;
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    return eventually([&] { return counts().open == wanted; }, timeout);
}

LoadCounts Load::finish()
{
    finishing_ = true;
    (void)eventually([this] {
        const std::lock_guard lock(mutex_);
        return quiet_;
    });
    thread_.request_stop();
    thread_.join();
    return counts();
}

LoadCounts Load::counts() const
{
    const std::lock_guard lock(mutex_);
    return seen_;
}

void Load::run(const std::stop_token& stop)
{
    begin();
    while (!stop.stop_requested()) {
        wait_for_events();
        const auto now = Clock::now();
        if (!finishing_) {
            ask_in_turn(now);
            make_due(now);
        }
        expire(now);
        const std::lock_guard lock(mutex_);
        seen_ = counts_;
        quiet_ = finishing_ && is_quiet();
    }
    for (const auto& [fd, talk] : talks_)
        if (talk.role == Role::open || talk.role == Role::server)
            counts_.retransmitted += retransmissions(fd);
    const std::lock_guard lock(mutex_);
    seen_ = counts_;
}

void Load::begin()
{
    for (const auto& [route, connections] : kept_) {
        serve(route, false);
        for (size_t i = 0; i < connections; ++i) {
            connect(Role::open, route);
            wait_for_events();
        }
    }
    for (const Repeated& repeated : repeated_)
        serve(repeated.route, repeated.role == Role::refused);
}

// A port that is served twice is served by the first one.
void Load::serve(const Route& route, bool tapped)
{
    const int type = route.transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
    ebpfd::Fd fd = make_socket(*route.to, in(family_), type);
    const SocketAddress any(any_address(family_), route.port);
    const bool bound = bind(fd.get(), any.get(), any.size()) == 0;
    if (bound && type == SOCK_STREAM)
        listen(fd.get(), SOMAXCONN);
    if (bound)
        add(type == SOCK_STREAM ? Role::listener : Role::server, route.transport, std::move(fd));
    if (!tapped)
        return;
    add_tap(Role::sent, *route.from, route);
    add_tap(Role::arrived, *route.to, route);
}

// Hears the frames to the route's port that pass a machine's interface.
void Load::add_tap(Role role, const Machine& machine, const Route& route)
{
    ebpfd::Fd tap = make_socket(machine, AF_PACKET, SOCK_RAW);
    setsockopt(tap.get(), SOL_SOCKET, SO_RCVBUFFORCE, &tap_bytes, sizeof(tap_bytes));
    sockaddr_ll all{};
    all.sll_family = AF_PACKET;
    all.sll_protocol = htons(ETH_P_ALL);
    // Bound last: without the filter it would hear everything.
    if (hear_only(tap.get(), route.port,
                  route.transport == Transport::tcp ? IPPROTO_TCP : IPPROTO_UDP) &&
        bind(tap.get(), reinterpret_cast<const sockaddr*>(&all), sizeof(all)) == 0)
        add(role, route.transport, std::move(tap));
    else
        ++counts_.broken;
}

ebpfd::Fd Load::make_socket(const Machine& machine, int family, int type, int protocol)
{
    ebpfd::Fd& space = namespaces_[&machine];
    if (!space)
        space = ebpfd::Fd(open(machine.netns.path().c_str(), O_RDONLY | O_CLOEXEC));
    setns(space.get(), CLONE_NEWNET); // of this thread alone
    ebpfd::Fd fd(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (type == SOCK_STREAM)
        setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

Load::Talk* Load::add(Role role, Transport transport, ebpfd::Fd fd)
{
    const int number = fd.get();
    const bool connects = role == Role::open || role == Role::made || role == Role::refused;
    epoll_event event{.events = connects ? EPOLLIN | EPOLLOUT : EPOLLIN, .data = {.fd = number}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, number, &event) != 0) {
        ++counts_.broken;
        return nullptr;
    }
    return &(talks_[number] = {role, transport, std::move(fd), Clock::now(), connects});
}

Load::Talk* Load::connect(Role role, const Route& route)
{
    const int type = route.transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
    ebpfd::Fd fd = make_socket(*route.from, in(family_), type);
    if (route.transport == Transport::udp && !bind_next(fd.get()))
        return nullptr;
    const SocketAddress peer(route.to->at(family_), route.port);
    if (::connect(fd.get(), peer.get(), peer.size()) != 0 && errno != EINPROGRESS) {
        ++counts_.broken;
        return nullptr;
    }
    return add(role, route.transport, std::move(fd));
}

// Chosen by chance, a port could come again while the datapath knows its last exchange.
bool Load::bind_next(int fd)
{
    next_port_ = next_port_ < first_port || next_port_ == last_port
                     ? first_port
                     : static_cast<uint16_t>(next_port_ + 1);
    const SocketAddress self(any_address(family_), next_port_);
    if (bind(fd, self.get(), self.size()) == 0)
        return true;
    ++counts_.broken;
    return false;
}

void Load::drop(int fd)
{
    const auto talk = talks_.find(fd);
    if (talk->second.transport == Transport::tcp && talk->second.role != Role::refused)
        counts_.retransmitted += retransmissions(fd);
    talks_.erase(talk);
}

void Load::wait_for_events()
{
    std::array<epoll_event, 256> events{};
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), round_ms);
    for (int i = 0; i < count; ++i)
        handle(events.at(static_cast<size_t>(i)).data.fd, events.at(static_cast<size_t>(i)).events);
}

void Load::handle(int fd, uint32_t events)
{
    const auto found = talks_.find(fd);
    if (found == talks_.end())
        return;
    Talk& talk = found->second;
    switch (talk.role) {
    case Role::listener:
        return accept_all(talk);
    case Role::sent:
    case Role::arrived:
        return count_frames(talk);
    case Role::server:
        return echo(talk);
    default:
        break;
    }
    if ((events & EPOLLIN) != 0 || (events & (EPOLLERR | EPOLLHUP)) != 0)
        return take_answer(talk);
    // Connected: asks once, and hears of nothing but answers from now on.
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    counts_.leaked += talk.role == Role::refused && talk.transport == Transport::tcp ? 1 : 0;
    (void)send(fd, "?", 1, MSG_NOSIGNAL);
}

void Load::accept_all(const Talk& listener)
{
    for (;;) {
        ebpfd::Fd made(accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!made)
            return;
        const int on = 1;
        setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        add(Role::server, Transport::tcp, std::move(made));
    }
}

void Load::echo(Talk& server)
{
    sockaddr_storage sender{};
    socklen_t size = sizeof(sender);
    auto* address = reinterpret_cast<sockaddr*>(&sender);
    std::array<char, 64> text{};
    const int fd = server.fd.get();
    const ssize_t length = recvfrom(fd, text.data(), text.size(), 0, address, &size);
    if (length > 0)
        (void)sendto(fd, text.data(), static_cast<size_t>(length), MSG_NOSIGNAL,
                     server.transport == Transport::udp ? address : nullptr,
                     server.transport == Transport::udp ? size : 0);
    else if (server.transport == Transport::tcp && (length == 0 || errno != EAGAIN))
        drop(fd);
}

void Load::answered(Talk& talk)
{
    talk.waits = false;
    switch (talk.role) {
    case Role::open:
        if (std::ranges::find(open_, talk.fd.get()) == open_.end()) {
            open_.push_back(talk.fd.get());
            ++counts_.open;
        } else {
            ++counts_.echoes;
        }
        return;
    case Role::made:
        ++counts_.made;
        counts_.slow += Clock::now() - talk.since > slow_after ? 1 : 0;
        return drop(talk.fd.get());
    default:
        ++counts_.leaked;
        return drop(talk.fd.get());
    }
}

void Load::take_answer(Talk& talk)
{
    std::array<char, 64> text{};
    const int fd = talk.fd.get();
    if (recv(fd, text.data(), text.size(), 0) > 0)
        return answered(talk);
    if (errno == EAGAIN)
        return;
    counts_.broken += talk.role == Role::open ? 1 : 0;
    counts_.failed += talk.role == Role::made ? 1 : 0;
    counts_.leaked += talk.role == Role::refused ? 1 : 0; // somebody answered with a reset
    std::erase(open_, fd);
    drop(fd);
}

void Load::count_frames(Talk& tap)
{
    std::array<char, 64> frame{};
    while (recv(tap.fd.get(), frame.data(), frame.size(), 0) > 0)
        ++(tap.role == Role::sent ? counts_.refused : counts_.leaked);
}

void Load::ask_in_turn(Clock::time_point now)
{
    for (size_t i = 0; i < asked_each_round && !open_.empty(); ++i) {
        turn_ = (turn_ + 1) % open_.size();
        Talk& talk = talks_.at(open_[turn_]);
        if (talk.waits)
            continue;
        talk.waits = send(open_[turn_], "!", 1, MSG_NOSIGNAL) == 1;
        talk.since = now;
    }
}

void Load::make_due(Clock::time_point now)
{
    for (Repeated& repeated : repeated_) {
        if (now < repeated.next)
            continue;
        repeated.next = now + repeated.interval;
        connect(repeated.role, repeated.route);
    }
}

void Load::expire(Clock::time_point now)
{
    if (now - expired_ < between_expiries)
        return;
    expired_ = now;
    std::vector<int> due;
    for (const auto& [fd, talk] : talks_) {
        const auto time = talk.role == Role::refused ? Clock::duration(refused_within)
                                                     : Clock::duration(answer_within);
        if (talk.waits && now - talk.since > time)
            due.push_back(fd);
    }
    for (const int fd : due)
        expire(fd, talks_.at(fd));
}

void Load::expire(int fd, const Talk& talk)
{
    if (talk.role == Role::open) {
        ++counts_.late;
        talks_.at(fd).waits = false;
        return;
    }
    counts_.failed += talk.role == Role::made ? 1 : 0;
    drop(fd);
}

bool Load::is_quiet() const
{
    return std::ranges::none_of(talks_, [](const auto& entry) { return entry.second.waits; });
}

} // namespace lab
