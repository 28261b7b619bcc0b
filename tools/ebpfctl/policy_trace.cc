// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"
#include "ebpfctl/trace.h"

namespace ebpfd::ctl {
namespace {

struct TraceOptions {
    std::string from;
    std::string to;
    std::string port;
    bool exit_code = false;
};

const std::vector<Column> MEMBERS{
    {"Verdict", "/verdict"}, {"From", "/from"},         {"To", "/to"},
    {"Port", "/port"},       {"Protocol", "/protocol"},
};

const std::vector<Column> STEPS{
    {"DIRECTION", "/direction"},     {"POD", "", false, pod_text},
    {"VERDICT", "/verdict"},         {"REASON", "/reason"},
    {"POLICY", "/policy"},           {"RULE", "/rule"},
    {"FILE", "", false, place_text}, {"ENFORCED", "", false, enforced_text},
    {"RULE SET", "/ruleset", true},  {"PEER IDENTITY", "/peer_identity", true},
};

Result<Json> ask(const Context& context, const TraceOptions& options)
{
    auto port = parse_trace_port(options.port);
    if (!port)
        return std::unexpected(port.error());
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto locals = local_endpoints(**maps);
    if (!locals)
        return std::unexpected(locals.error());
    auto from = resolve_side(context, *locals, options.from);
    if (!from)
        return fail("--from", from.error());
    auto to = resolve_side(context, *locals, options.to);
    if (!to)
        return fail("--to", to.error());
    return judge(**maps, *from, *to, *port);
}

Result<Exit> trace(const Context& context, const TraceOptions& options)
{
    auto answer = ask(context, options);
    if (!answer)
        return std::unexpected(answer.error());
    const std::string verdict = string_at(*answer, "/verdict");
    const bool denied = verdict == "deny" || verdict == "would-allow";
    return context.print({*answer, {{"", "", MEMBERS, {}}, {"", "/steps", STEPS, {}}}},
                         options.exit_code && denied ? Exit::denied : Exit::ok);
}

} // namespace

Action define_policy_trace(CLI::App& app)
{
    auto options = std::make_shared<TraceOptions>();
    app.add_option("--from", options->from, "Who opens the connection")
        ->required()
        ->type_name("POD|IP");
    app.add_option("--to", options->to, "To whom; a service's address too")
        ->required()
        ->type_name("POD|IP");
    app.add_option("--port", options->port, "80/tcp, 53/udp, 36412/sctp, or icmp")
        ->required()
        ->type_name("N/PROTO");
    app.add_flag("--exit-code", options->exit_code, "Exit with 10 if it is denied");
    return [options](const Context& context) { return trace(context, *options); };
}

} // namespace ebpfd::ctl
