// SPDX-License-Identifier: Apache-2.0
#include "routes.h"

#include "coverage_report.h"
#include "explain_report.h"
#include "impact.h"
#include "loss_report.h"
#include "metric_values.h"
#include "observe_stream.h"
#include "suggest.h"

#include <charconv>
#include <malloc.h>
#include <memory>
#include <mutex>
#include <spdlog/spdlog.h>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;

constexpr auto rescan_timeout = 10s;

// What cannot be read is left out, with a line in the log.
std::vector<Usage> usage(const Config& config)
{
    Result<std::vector<Usage>> tables;
    if (const auto maps = PinnedMaps::open(config.bpffs); maps)
        tables = table_usage(**maps);
    else
        tables = std::unexpected(maps.error());
    if (tables)
        return std::move(*tables);
    spdlog::warn("tables cannot be read: {}", tables.error().message);
    return {};
}

HttpReply status(const Sources& sources)
{
    std::optional<FlowLog::Counts> flow_log;
    if (sources.flow_log)
        flow_log = sources.flow_log->counts();
    View view = *sources.board.latest();
    if (auto trouble = sources.board.trouble())
        view.attach_warnings.push_back(*std::move(trouble));
    return {.body = status_json(view, sources.agent, usage(sources.config), flow_log)};
}

HttpReply rescan(const Sources& sources, const HttpRequest& request)
{
    const std::string text = request.value("timeout_ms");
    int64_t ms = std::chrono::milliseconds(rescan_timeout).count();
    if (!text.empty()) {
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, ms);
        if (error != std::errc{} || stop != end || ms < 0 || ms > 3'600'000)
            return error_reply(400, "timeout_ms: want milliseconds, at most an hour");
    }
    if (!sources.rescans.ask(std::chrono::milliseconds(ms)))
        return error_reply(504, fmt::format("the rescan was not done within {} ms", ms));
    return status(sources);
}

HttpReply policy(const Sources& sources, const HttpRequest& request)
{
    const auto& space = request.captures[0];
    const auto& name = request.captures[1];
    auto body = policy_json(*sources.board.latest(), space, name);
    return body ? HttpReply{.body = std::move(*body)}
                : error_reply(404, fmt::format("there is no policy {}/{}", space, name));
}

HttpReply coverage(const Sources& sources)
{
    const auto maps = PinnedMaps::open(sources.config.bpffs);
    if (!maps)
        return error_reply(500, maps.error().message);
    auto body = coverage_json(*sources.board.latest()->world, **maps);
    return body ? HttpReply{.body = std::move(*body)} : error_reply(500, body.error().message);
}

HttpReply explained(const Sources& sources, const HttpRequest& request)
{
    const std::string pod = request.value("pod");
    auto body = explain_json(*sources.board.latest()->world, pod);
    if (!body)
        return error_reply(500, body.error().message);
    return *body ? HttpReply{.body = std::move(**body)}
                 : error_reply(404, fmt::format("there is no pod {}", pod));
}

HttpReply metrics(const Sources& sources)
{
    return {.body = sources.applies.render(metric_values(sources)),
            .content_type = "text/plain; version=0.0.4; charset=utf-8"};
}

HttpReply ready(const Sources& sources)
{
    const auto view = sources.board.latest();
    HttpReply reply{.body = "ready\n", .content_type = "text/plain"};
    if (view->revision == 0) {
        reply.status = 503;
        reply.body = "no policy was applied yet\n";
    }
    return reply;
}

using Answer = std::function<HttpReply(const HttpRequest&)>;

// For answers that compile worlds: what that leaves behind is much, and nobody needs it.
Answer trimmed(Answer answer)
{
    return [answer = std::move(answer)](const HttpRequest& request) {
        HttpReply reply = answer(request);
        malloc_trim(0);
        return reply;
    };
}

HttpRoute get(std::string pattern, Answer answer)
{
    return {"GET", std::move(pattern), std::move(answer), {}};
}

} // namespace

std::vector<HttpRoute> socket_routes(const Sources& sources)
{
    std::vector<HttpRoute> routes;
    routes.push_back(get("/v1/status", [=](const auto&) { return status(sources); }));
    const Answer rescanned = [=](const auto& request) { return rescan(sources, request); };
    routes.push_back({"POST", "/v1/rescan", rescanned, {}});
    routes.push_back(get("/v1/policies", [=](const auto&) {
        return HttpReply{.body = policies_json(*sources.board.latest())};
    }));
    routes.push_back(get("/v1/policies/([^/]+)/([^/]+)",
                         [=](const auto& request) { return policy(sources, request); }));
    routes.push_back(get("/v1/policy/coverage", [=](const auto&) { return coverage(sources); }));
    routes.push_back(get("/v1/policy/explain",
                         [=](const auto& request) { return explained(sources, request); }));
    routes.push_back(get("/v1/pods", [=](const auto&) {
        return HttpReply{.body = pods_json(*sources.board.latest())};
    }));
    routes.push_back(get("/v1/loss", [=](const auto&) {
        return HttpReply{.body = loss_json(sources.observer.counts())};
    }));
    const Answer judged =
        trimmed([=](const auto& request) { return impact_reply(sources, request); });
    routes.push_back({.method = "POST",
                      .pattern = "/v1/policy/impact",
                      .answer = judged,
                      .stream = {},
                      .reads_body = true});
    routes.push_back(get("/v1/policy/suggest", trimmed([=](const auto& request) {
                             return suggest_reply(sources, request);
                         })));
    const auto observed = [=](const HttpRequest& request) {
        return observe_stream(sources.observer, request);
    };
    routes.push_back({"GET", "/v1/observe", {}, observed});
    return routes;
}

std::vector<HttpRoute> metrics_routes(const Sources& sources)
{
    // Whoever asks for metrics all the time gets one core to do so.
    const auto one_at_a_time = std::make_shared<std::mutex>();
    const auto probe = [](std::string path, Answer answer) {
        HttpRoute route = get(std::move(path), std::move(answer));
        route.prompt = true;
        return route;
    };
    return {get("/metrics",
                [=](const auto&) {
                    const std::lock_guard lock(*one_at_a_time);
                    return metrics(sources);
                }),
            probe("/healthz",
                  [=](const auto&) {
                      if (const auto hang = sources.board.hang())
                          return HttpReply{503, *hang + "\n", "text/plain"};
                      return HttpReply{.body = "alive\n", .content_type = "text/plain"};
                  }),
            probe("/readyz", [=](const auto&) { return ready(sources); })};
}

} // namespace ebpfd
