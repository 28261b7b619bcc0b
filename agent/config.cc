// SPDX-License-Identifier: Apache-2.0
#include "config.h"

#include "base/completion.h"
#include "config_file.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <bit>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <sstream>
#include <unistd.h>

namespace ebpfd {
namespace {

constexpr const char* default_config = "/etc/ebpfd/ebpfd.yaml";
constexpr uint32_t page_bytes = 4096;

constexpr std::array<CapacityOption, 12> options{{
    {"--max-flows", "flows", &Capacities::flows, "open connections"},
    {"--max-fragments", "fragments", &Capacities::fragments, "packets in fragments, at a time"},
    {"--max-endpoints", "endpoints", &Capacities::endpoints, "interfaces of local pods"},
    {"--max-addresses", "addresses", &Capacities::addresses,
     "addresses of pods, nodes and services"},
    {"--max-services", "services", &Capacities::services, "ports of services"},
    {"--max-rulesets", "rulesets", &Capacities::rulesets, "different rule sets"},
    {"--max-peers", "peers", &Capacities::peers, "pairs of a rule set and a set of labels"},
    {"--max-cidrs", "cidrs", &Capacities::cidrs, "address blocks, over all rule sets"},
    {"--max-ports", "ports", &Capacities::ports, "prefixes of port ranges, over all rule sets"},
    {"--max-rules", "rules", &Capacities::rules, "rules of all policies together"},
    {"--refusal-ring", "refusal_ring", &Capacities::refusal_ring,
     "bytes of the ring of refusals, a power of two"},
    {"--flow-ring", "flow_ring", &Capacities::flow_ring,
     "bytes of the ring of flow records, a power of two"},
}};

bool is_ring(const CapacityOption& option)
{
    return option.field == &Capacities::refusal_ring || option.field == &Capacities::flow_ring;
}

// Values that need more than one look before they are part of a Config.
struct RawOptions {
    std::string config_path;
    std::string mode = "enforce";
    std::string attach = "auto";
    std::string hooks = "auto";
    std::string hook_attach = "auto";
    std::string sandbox = "on";
    std::string completion;
    std::string metrics = "127.0.0.1:9464";
    std::string pod_interfaces;
    FlowLogOptions flow_log;
    std::vector<std::string> flow_log_filter;
};

// "NAME=VALUE" each.
Result<RecordFilter> parse_filter(const std::vector<std::string>& texts)
{
    std::multimap<std::string, std::string> conditions;
    for (const auto& text : texts) {
        const size_t equals = text.find('=');
        if (equals == text.npos)
            return fail(EINVAL, fmt::format("\"{}\": want NAME=VALUE", text));
        conditions.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return RecordFilter::parse(conditions);
}

std::string check_filter(const std::string& text)
{
    const auto filter = parse_filter({text});
    return filter ? "" : filter.error().message;
}

std::string check_metrics(const std::string& text)
{
    return text == "none" || ListenAddress::parse(text)
               ? ""
               : "want ADDRESS:PORT with a numeric address ([ADDRESS]:PORT for IPv6), or none";
}

std::string check_ring(const std::string& text)
{
    uint32_t bytes = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    return error == std::errc{} && *end == '\0' && std::has_single_bit(bytes) && bytes >= page_bytes
               ? ""
               : fmt::format("want a power of two, at least {}", page_bytes);
}

std::string check_folder(const std::string& text)
{
    return text.empty() ? "want the name of a folder" : "";
}

std::vector<std::string> split(const std::string& text, char separator)
{
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, separator);)
        if (!part.empty())
            out.push_back(part);
    return out;
}

std::string check_hooks(const std::string& text)
{
    const auto known = hook_names();
    if (text == "auto" || text == "none")
        return "";
    for (const auto& name : split(text, ','))
        if (std::ranges::find(known, name) == known.end())
            return fmt::format("unknown hook \"{}\": want auto, none or some of {}", name,
                               fmt::join(known, ","));
    return text.empty() ? "want auto, none or names" : "";
}

void add_places(CLI::App& app, Config& config, RawOptions& raw)
{
    app.add_option("--config", raw.config_path,
                   fmt::format("YAML file whose keys are the long names of these options;\n"
                               "the command line wins [{}, if present]",
                               default_config))
        ->type_name("FILE");
    app.add_option("--policy-dir", config.policy.paths,
                   "Folder of NetworkPolicies, watched; may be given again\n"
                   "[/etc/ebpfd/policies.d]")
        ->type_name("DIR")
        ->check(CLI::Validator(check_folder, ""))
        ->allow_extra_args(false);
    app.add_option("--inventory-dir", config.inventory.paths,
                   "Folder of Pods, Namespaces, Services, EndpointSlices and Nodes,\n"
                   "watched; may be given again [/etc/ebpfd/inventory.d]")
        ->type_name("DIR")
        ->check(CLI::Validator(check_folder, ""))
        ->allow_extra_args(false);
    app.add_option("--runtime-dir", config.runtime_dir,
                   "Folder of ebpfd.sock and lock; made if missing")
        ->type_name("DIR")
        ->check(CLI::Validator(check_folder, ""))
        ->capture_default_str();
    app.add_option("--bpffs", config.bpffs,
                   "Folder on a bpf file system for pinned maps, programs and links")
        ->type_name("DIR")
        ->check(CLI::Validator(check_folder, ""))
        ->capture_default_str();
}

void add_behaviour(CLI::App& app, Config& config, RawOptions& raw)
{
    app.add_option("--node-name", config.node_name,
                   "Pods with this or no spec.nodeName may be local [the host's name]")
        ->type_name("NAME");
    app.add_option("--mode", raw.mode, "audit: decide and report, but drop nothing")
        ->type_name("enforce|audit")
        ->check(CLI::IsMember({"enforce", "audit"}).description(""))
        ->capture_default_str();
    app.add_option("--pod-interfaces", raw.pod_interfaces,
                   "Interfaces that belong to pods, such as \"veth*,cali*\": closed\n"
                   "until their pod is known [none]")
        ->type_name("GLOBS");
    app.add_option("--attach", raw.attach, "How programs are attached to interfaces")
        ->type_name("auto|tcx|clsact")
        ->check(CLI::IsMember({"auto", "tcx", "clsact"}).description(""))
        ->capture_default_str();
    app.add_option("--hooks", raw.hooks,
                   "What to learn from the kernel beside the packets: names as\n"
                   "\"ebpfctl status\" lists them, auto for all")
        ->type_name("auto|none|LIST")
        ->check(CLI::Validator(check_hooks, ""))
        ->capture_default_str();
    app.add_option("--hook-attach", raw.hook_attach, "How hooks are attached")
        ->type_name("auto|tp_btf|fentry|kprobe")
        ->check(CLI::IsMember({"auto", "tp_btf", "fentry", "kprobe"}).description(""))
        ->capture_default_str();
    app.add_option("--metrics-listen", raw.metrics, "Where /metrics, /healthz and /readyz are")
        ->type_name("ADDR:PORT|none")
        ->check(CLI::Validator(check_metrics, ""))
        ->capture_default_str();
    app.add_flag("--metrics-pods", config.metrics_pods, "Metrics of each local pod, too");
    app.add_option("--metrics-max-series", config.metrics_max_series,
                   "Most series that name pods, and most that name rules; the rest\n"
                   "is summed up as _overflow")
        ->type_name("N")
        ->check(CLI::Range(1u, 1u << 20).description(""))
        ->capture_default_str();
    app.add_option("--log-level", config.log_level, "The least that is logged, to stderr")
        ->type_name("error|warn|info|debug")
        ->check(CLI::IsMember({"error", "warn", "info", "debug"}).description(""))
        ->capture_default_str();
    app.add_option("--log-format", config.log_format, "json: one object a line")
        ->type_name("text|json")
        ->check(CLI::IsMember({"text", "json"}).description(""))
        ->capture_default_str();
    app.add_option("--sandbox", raw.sandbox,
                   "off: keep the capabilities and system calls that a running\n"
                   "agent does without, for debugging")
        ->type_name("on|off")
        ->check(CLI::IsMember({"on", "off"}).description(""))
        ->capture_default_str();
    app.add_flag("--detach", config.detach,
                 "Remove links, programs, maps and copies of what files said, then exit");
    app.add_option("--completion", raw.completion,
                   "Print a script that has a shell complete these options, then exit")
        ->type_name("bash|zsh|fish")
        ->check(
            CLI::IsMember(std::vector<std::string>(SHELLS.begin(), SHELLS.end())).description(""));
}

void add_flow_log(CLI::App& app, RawOptions& raw)
{
    constexpr const char* group = "Flow log";
    auto& [file, queue, filter] = raw.flow_log;
    app.add_option("--flow-log", file.path,
                   "Writes records of connections and refusals to this file, one JSON\n"
                   "object a line; SIGHUP opens it again [none]")
        ->type_name("FILE")
        ->group(group);
    app.add_option("--flow-log-max-bytes", file.max_bytes, "Then FILE becomes FILE.1, and so on")
        ->type_name("N")
        ->check(CLI::Range(4096ul, 1ul << 40).description(""))
        ->capture_default_str()
        ->group(group);
    app.add_option("--flow-log-files", file.kept_files, "So many of those are kept")
        ->type_name("N")
        ->check(CLI::Range(0u, 1000u).description(""))
        ->capture_default_str()
        ->group(group);
    app.add_option("--flow-log-queue", queue,
                   "Room for records when the file is slow; the oldest give way")
        ->type_name("N")
        ->check(CLI::Range(1u, 1u << 20).description(""))
        ->capture_default_str()
        ->group(group);
    app.add_option("--flow-log-filter", raw.flow_log_filter,
                   "Which records, such as verdict=deny or namespace=shop; may be given\n"
                   "again: of one name any, of different names all [all records]")
        ->type_name("NAME=VALUE")
        ->check(CLI::Validator(check_filter, ""))
        ->allow_extra_args(false)
        ->group(group);
}

void add_watching(CLI::App& app, Config& config)
{
    app.add_option("--history-bytes", config.history_bytes,
                   "Size: memory for the latest events, which observe shows without\n"
                   "--follow; 0: none is kept")
        ->type_name("N")
        ->check(CLI::Range(0u, 1u << 30).description(""))
        ->capture_default_str()
        ->group("Capacities");
    app.add_option("--max-watchers", config.max_watchers,
                   "Room for clients that follow events, at a time")
        ->type_name("N")
        ->check(CLI::Range(1u, 1024u).description(""))
        ->capture_default_str()
        ->group("Capacities");
}

void add_capacities(CLI::App& app, Config& config)
{
    for (const auto& option : options) {
        auto* added = app.add_option(option.name, config.capacities.*option.field,
                                     std::string("Room for ") + option.help)
                          ->type_name("N")
                          ->capture_default_str()
                          ->group("Capacities");
        if (is_ring(option))
            added->description(std::string("Size: ") + option.help)
                ->check(CLI::Validator(check_ring, ""));
        else
            added->check(CLI::Range(1u, 1u << 30).description(""));
    }
}

// As Kubernetes names a node by its host: in lower case.
std::string host_name()
{
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    std::string out(name);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

// As it is where there is no working directory any more.
std::string absolute(const std::string& path)
{
    std::error_code gone;
    const auto full = std::filesystem::absolute(path, gone);
    auto out = (gone ? std::filesystem::path(path) : full).lexically_normal().string();
    if (out.size() > 1 && out.ends_with('/'))
        out.pop_back();
    return out;
}

void finish_dirs(WatchedDirs& dirs, const char* fallback)
{
    dirs.named = !dirs.paths.empty();
    if (!dirs.named)
        dirs.paths = {fallback};
    for (auto& path : dirs.paths)
        path = absolute(path);
}

HookOptions hook_options(const RawOptions& raw)
{
    HookOptions out;
    out.names = raw.hooks == "auto"   ? hook_names()
                : raw.hooks == "none" ? std::vector<std::string>{}
                                      : split(raw.hooks, ',');
    out.attach = raw.hook_attach == "tp_btf"   ? HookAttach::tp_btf
                 : raw.hook_attach == "fentry" ? HookAttach::fentry
                 : raw.hook_attach == "kprobe" ? HookAttach::kprobe
                                               : HookAttach::automatic;
    return out;
}

void finish(Config& config, const RawOptions& raw)
{
    finish_dirs(config.policy, "/etc/ebpfd/policies.d");
    finish_dirs(config.inventory, "/etc/ebpfd/inventory.d");
    config.runtime_dir = absolute(config.runtime_dir);
    config.bpffs = absolute(config.bpffs);
    if (config.node_name.empty())
        config.node_name = host_name();
    config.audit = raw.mode == "audit";
    config.attach = raw.attach == "tcx"      ? AttachMode::tcx
                    : raw.attach == "clsact" ? AttachMode::clsact
                                             : AttachMode::automatic;
    config.hooks = hook_options(raw);
    config.sandbox = raw.sandbox == "on";
    config.metrics = ListenAddress::parse(raw.metrics);
    config.pod_interfaces = split(raw.pod_interfaces, ',');
    if (!raw.flow_log.file.path.empty()) {
        config.flow_log = raw.flow_log;
        config.flow_log->file.path = absolute(raw.flow_log.file.path);
        // Each condition was checked as it was read.
        config.flow_log->filter = parse_filter(raw.flow_log_filter).value_or(RecordFilter{});
    }
}

Result<void> read_file(CLI::App& app, const RawOptions& raw)
{
    const bool named = !raw.config_path.empty();
    if (!named && access(default_config, F_OK) != 0)
        return {};
    return apply_config_file(app, named ? raw.config_path : default_config);
}

} // namespace

std::span<const CapacityOption> capacity_options()
{
    return options;
}

std::optional<ListenAddress> ListenAddress::parse(const std::string& text)
{
    const size_t colon = text.rfind(':');
    if (colon == text.npos)
        return std::nullopt;
    ListenAddress out{.address = text.substr(0, colon), .port = 0};
    const bool brackets = out.address.starts_with('[') && out.address.ends_with(']');
    if (brackets)
        out.address = out.address.substr(1, out.address.size() - 2);
    in6_addr ignored{};
    if (inet_pton(brackets ? AF_INET6 : AF_INET, out.address.c_str(), &ignored) != 1)
        return std::nullopt;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, out.port);
    if (error != std::errc{} || stop != end || out.port == 0)
        return std::nullopt;
    return out;
}

std::variant<Config, Farewell> parse_config(int argc, const char* const* argv)
{
    Config config;
    RawOptions raw;
    CLI::App app("Enforces Kubernetes network policies for the pods of this node.", "ebpfd");
    app.set_version_flag("--version", "ebpfd " EBPFD_VERSION);
    app.get_formatter()->column_width(34);
    add_places(app, config, raw);
    add_behaviour(app, config, raw);
    add_flow_log(app, raw);
    add_capacities(app, config);
    add_watching(app, config);
    app.footer("Ended by a signal it exits 0 and leaves the datapath enforcing; 1: it failed;\n"
               "2: wrong usage. SIGHUP reads both folders again, and reopens the flow log.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream text;
        const int code = app.exit(error, text, text);
        return Farewell{.exit_code = code == 0 ? 0 : 2, .text = text.str()};
    }
    if (!raw.completion.empty())
        return Farewell{.exit_code = 0, .text = completion_script(app, raw.completion)};
    if (auto read = read_file(app, raw); !read)
        return Farewell{.exit_code = 2, .text = read.error().message + "\n"};
    finish(config, raw);
    return config;
}

} // namespace ebpfd
