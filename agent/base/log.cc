// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "base/escape.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fmt/chrono.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <sstream>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

namespace ebpfd {
namespace {

std::string_view level_name(spdlog::level::level_enum level)
{
    switch (level) {
    case spdlog::level::critical:
    case spdlog::level::err:
        return "error";
    case spdlog::level::warn:
        return "warn";
    case spdlog::level::info:
        return "info";
    default:
        return "debug";
    }
}

// "2026-01-31T23:59:59.123Z", always UTC.
std::string time_text(spdlog::log_clock::time_point time)
{
    const auto since = time.time_since_epoch();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
    return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)),
                       ms % 1000);
}

std::string_view view(spdlog::string_view_t text)
{
    return {text.data(), text.size()};
}

std::string json_text(const spdlog::details::log_msg& message)
{
    const nlohmann::ordered_json line{{"time", time_text(message.time)},
                                      {"level", level_name(message.level)},
                                      {"message", view(message.payload)}};
    return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// As syslog(3) numbers them.
int priority(spdlog::level::level_enum level)
{
    switch (level) {
    case spdlog::level::critical:
    case spdlog::level::err:
        return LOG_ERR;
    case spdlog::level::warn:
        return LOG_WARNING;
    case spdlog::level::info:
        return LOG_INFO;
    default:
        return LOG_DEBUG;
    }
}

// Whether standard error is what systemd says that it connected with the journal.
bool is_journal()
{
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat file {};
    return stream != nullptr && fstat(STDERR_FILENO, &file) == 0 &&
           fmt::format("{}:{}", file.st_dev, file.st_ino) == stream;
}

class LineFormatter final : public spdlog::formatter {
public:
    LineFormatter(bool json, bool journal) : json_(json), journal_(journal) {}
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override
    {
        const auto end = std::back_inserter(out);
        // The journal takes this away again, and has times of its own.
        if (journal_)
            fmt::format_to(end, "<{}>", priority(message.level));
        if (json_)
            fmt::format_to(end, "{}\n", json_text(message));
        else if (journal_)
            fmt::format_to(end, "{}\n", escape_control(view(message.payload)));
        else
            fmt::format_to(end, "{} {:<5} {}\n", time_text(message.time), level_name(message.level),
                           escape_control(view(message.payload)));
    }
    std::unique_ptr<spdlog::formatter> clone() const override
    {
        return std::make_unique<LineFormatter>(*this);
    }

private:
    bool json_;
    bool journal_;
};

Result<spdlog::level::level_enum> parse_level(std::string_view level)
{
    if (level == "error")
        return spdlog::level::err;
    if (level == "warn")
        return spdlog::level::warn;
    if (level == "info")
        return spdlog::level::info;
    if (level == "debug")
        return spdlog::level::debug;
    return fail(0, fmt::format("log level \"{}\" is none of error, warn, info, debug", level));
}

} // namespace

Result<void> setup_logging(std::string_view level, std::string_view format)
{
    const auto number = parse_level(level);
    if (!number)
        return std::unexpected(number.error());
    if (format != "text" && format != "json")
        return fail(0, fmt::format("log format \"{}\" is neither text nor json", format));
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto logger = std::make_shared<spdlog::logger>("ebpfd", std::move(sink));
    logger->set_formatter(std::make_unique<LineFormatter>(format == "json", is_journal()));
    logger->set_level(*number);
    spdlog::set_default_logger(std::move(logger));
    return {};
}

void print_errors(const std::string& lines)
{
    const auto prefix = is_journal() ? fmt::format("<{}>", LOG_ERR) : "";
    std::istringstream in(lines);
    for (std::string line; std::getline(in, line);)
        std::fputs(fmt::format("{}{}\n", prefix, line).c_str(), stderr); // throws nothing
}

} // namespace ebpfd
