// SPDX-License-Identifier: Apache-2.0
#include "observe_stream.h"

#include "base/rfc3339.h"

#include <charconv>
#include <chrono>
#include <fmt/format.h>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;

constexpr auto batch_wait = 200ms;
constexpr size_t lines_per_batch = 256;

struct Question {
    bool follow = false;
    Past past;
    RecordFilter filter;
};

template <class Number> std::optional<Number> number_of(const std::string& text)
{
    Number out{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, out);
    return error == std::errc{} && stop == end && out >= Number{} ? std::optional(out)
                                                                  : std::nullopt;
}

// Nanoseconds since 1970: a moment as RFC 3339 has it, or so many seconds before now.
Result<std::optional<int64_t>> moment_of(const HttpRequest& request, const char* name)
{
    const std::string text = request.value(name);
    if (text.empty())
        return std::nullopt;
    if (const auto moment = parse_rfc3339(text))
        return moment;
    const auto seconds = number_of<double>(text);
    if (!seconds || !(*seconds <= 1e9))
        return fail(EINVAL, fmt::format("{}={}: want seconds or a time", name, text));
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::nanoseconds(now).count() - static_cast<int64_t>(*seconds * 1e9);
}

Result<Past> past_of(const HttpRequest& request, bool follow)
{
    Past past;
    if (const auto text = request.value("last"); !text.empty()) {
        past.last = number_of<size_t>(text);
        if (!past.last)
            return fail(EINVAL, fmt::format("last={}: want a number", text));
    }
    const auto since = moment_of(request, "since");
    if (!since)
        return std::unexpected(since.error());
    const auto until = moment_of(request, "until");
    if (!until)
        return std::unexpected(until.error());
    if (follow && *until)
        return fail(EINVAL, "until: what is followed has no end");
    past.since_ns = *since;
    past.until_ns = *until;
    if (follow && !past.last && !past.since_ns)
        past.last = 0;
    return past;
}

Result<Question> question_of(const HttpRequest& request)
{
    const std::string follow = request.value("follow", "0");
    if (follow != "0" && follow != "1")
        return fail(EINVAL, fmt::format("follow={}: want 0 or 1", follow));
    auto conditions = request.query;
    for (const char* other : {"follow", "last", "since", "until"})
        conditions.erase(other);
    auto filter = RecordFilter::parse(conditions);
    if (!filter)
        return std::unexpected(filter.error());
    auto past = past_of(request, follow == "1");
    if (!past)
        return std::unexpected(past.error());
    return Question{.follow = follow == "1", .past = *past, .filter = std::move(*filter)};
}

// What a reader that was too slow is told.
std::string lost_line(uint64_t lost, int64_t time_ns)
{
    return fmt::format("{{\"time\":\"{}\",\"type\":\"lost\",\"records\":{}}}\n", rfc3339(time_ns),
                       lost);
}

LineSource past_lines(std::vector<AttributedEvent> records)
{
    auto next = [records = std::move(records),
                 next = size_t{0}]() mutable -> std::optional<std::string> {
        if (next == records.size())
            return std::nullopt;
        std::string out;
        for (size_t end = std::min(records.size(), next + lines_per_batch); next < end; next++)
            out += to_json_line(records[next]);
        return out;
    };
    return {.next = std::move(next)};
}

std::optional<std::string> next_lines(LiveReader& reader)
{
    const auto batch = reader.next(batch_wait);
    if (!batch)
        return std::nullopt;
    std::string out;
    if (batch->lost > 0 && !batch->records.empty())
        out += lost_line(batch->lost, batch->records.front().time_ns);
    for (const auto& record : batch->records)
        out += to_json_line(record);
    return out;
}

LineSource live_lines(const std::shared_ptr<LiveReader>& reader)
{
    return {.next = [reader] { return next_lines(*reader); },
            .cut_off = [reader] { reader->cut_off(); }};
}

} // namespace

StreamReply observe_stream(Observer& observer, const HttpRequest& request)
{
    auto question = question_of(request);
    if (!question)
        return error_reply(400, question.error().message);
    if (!question->follow)
        return past_lines(observer.recent(question->filter, question->past));
    return live_lines(observer.subscribe(std::move(question->filter), question->past));
}

} // namespace ebpfd
