// SPDX-License-Identifier: Apache-2.0
#include "system/prometheus.h"

#include "lab/socket.h"

#include <fmt/format.h>
#include <fstream>
#include <regex>
#include <sstream>

namespace system_test {
namespace {

constexpr uint16_t port = 9090;

std::string url_encoded(const std::string& text)
{
    std::string out;
    for (const unsigned char c : text)
        out += std::isalnum(c) ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
    return out;
}

} // namespace

std::string http_get(const lab::Machine& machine, uint16_t server, const std::string& path)
{
    const auto socket = lab::Socket::connect(machine, lab::Transport::tcp, "127.0.0.1", server);
    if (socket.outcome(lab::patience) != lab::Outcome::connected ||
        !socket.send(fmt::format("GET {} HTTP/1.0\r\nHost: localhost\r\n\r\n", path)))
        return {};
    std::string reply;
    while (const auto part = socket.receive())
        reply += *part;
    const size_t body = reply.find("\r\n\r\n");
    const bool ok = reply.starts_with("HTTP/1.") && reply.substr(8, 5) == " 200 ";
    return ok && body != reply.npos ? reply.substr(body + 4) : std::string();
}

MetricsText MetricsText::parse(const std::string& text)
{
    MetricsText out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("# TYPE ")) {
            const size_t end = line.find(' ', 7);
            out.types[line.substr(7, end - 7)] = line.substr(end + 1);
        } else if (const size_t space = line.rfind(' '); !line.starts_with('#') && space > 0) {
            out.values[line.substr(0, space)] = std::stod(line.substr(space + 1));
        }
    }
    return out;
}

std::set<std::string> MetricsText::names() const
{
    std::set<std::string> out;
    for (const auto& [name, type] : types)
        if (name.starts_with("ebpfd_"))
            out.insert(name);
    return out;
}

bool MetricsText::knows(const std::string& name) const
{
    if (const auto found = types.find(name); found != types.end())
        return found->second != "histogram";
    for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
        if (!name.ends_with(suffix))
            continue;
        const auto base = types.find(name.substr(0, name.size() - suffix.size()));
        return base != types.end() && base->second == "histogram";
    }
    return false;
}

std::set<std::string> metric_names_in(const std::string& text)
{
    static const std::regex name("\\b(ebpfd|process)_[a-z0-9_]+");
    std::set<std::string> out;
    for (std::sregex_iterator match(text.begin(), text.end(), name), end; match != end; ++match)
        out.insert(match->str());
    return out;
}

lab::Process Prometheus::start(const lab::Machine& machine, const std::filesystem::path& folder,
                               uint16_t scraped)
{
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "prometheus.yml")
        << fmt::format("global: {{scrape_interval: 1s}}\n"
                       "scrape_configs:\n"
                       "- job_name: ebpfd\n"
                       "  static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
                       scraped);
    return lab::Process::start({"prometheus", "--config.file", folder / "prometheus.yml",
                                "--storage.tsdb.path", folder / "data", "--web.listen-address",
                                fmt::format("127.0.0.1:{}", port), "--log.level", "warn"},
                               machine.netns.path());
}

Prometheus::Prometheus(const lab::Machine& machine, std::filesystem::path folder, uint16_t scraped)
    : machine_(machine), process_(start(machine, folder, scraped))
{
}

nlohmann::json Prometheus::query(const std::string& expression) const
{
    const auto reply = nlohmann::json::parse(
        http_get(machine_, port, "/api/v1/query?query=" + url_encoded(expression)), nullptr, false);
    return reply.is_object() && reply.value("status", "") == "success"
               ? reply["data"]["result"]
               : nlohmann::json(nlohmann::json::value_t::discarded);
}

std::optional<double> Prometheus::value(const std::string& expression) const
{
    const auto result = query(expression);
    if (!result.is_array() || result.empty())
        return std::nullopt;
    return std::stod(result[0]["value"][1].get<std::string>());
}

} // namespace system_test
