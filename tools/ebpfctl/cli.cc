// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cli.h"

#include "ebpfctl/command.h"
#include "ebpfctl/filter.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <unistd.h>

namespace ebpfd::ctl {
namespace {

const std::map<std::string, Format> FORMATS{{"table", Format::table},
                                            {"wide", Format::wide},
                                            {"json", Format::json},
                                            {"jsonl", Format::jsonl},
                                            {"yaml", Format::yaml}};

void add_global_options(CLI::App& app, Options& options)
{
    app.add_option("--runtime-dir", options.runtime_dir, "Folder of the agent's socket")
        ->capture_default_str()
        ->type_name("DIR");
    app.add_option("--bpffs", options.bpffs, "Folder of the pinned maps")
        ->capture_default_str()
        ->type_name("DIR");
    app.add_option("-o,--output", options.format, "Format of the output")
        ->check(CLI::IsMember({"table", "wide", "json", "jsonl", "yaml"}))
        ->capture_default_str()
        ->type_name("FORMAT");
    app.add_flag("--no-headers", options.no_headers, "Tables without their first line");
    app.add_option("--color", options.color, "Colours; auto: on a terminal, unless NO_COLOR is set")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str()
        ->type_name("WHEN");
    app.add_option("-n,--namespace", options.in_namespace, "Only this namespace")
        ->type_name("NAME");
    app.add_flag("-A,--all-namespaces", options.all_namespaces, "All namespaces, even with -n");
}

// Adds every command; chosen becomes the action of the one on the command line.
void add_commands(CLI::App& app, Action& chosen)
{
    std::map<std::string, CLI::App*> parents{{"", &app}};
    for (const Command& command : commands()) {
        CLI::App*& parent = parents[command.group];
        if (parent == nullptr)
            parent = app.add_subcommand(command.group, group_description(command.group))
                         ->require_subcommand(1);
        CLI::App* sub = parent->add_subcommand(command.name, command.description);
        sub->callback([&chosen, action = command.define(*sub)] { chosen = action; });
    }
}

bool wants_color(const Options& options, const Terminal& terminal)
{
    if (options.color != "auto")
        return options.color == "always";
    const char* no_color = std::getenv("NO_COLOR");
    bool refused = no_color != nullptr && *no_color != '\0';
    return !refused && terminal.fd >= 0 && isatty(terminal.fd) == 1;
}

Style style_of(const Options& options, const Terminal& terminal)
{
    return {.format = FORMATS.at(options.format),
            .headers = !options.no_headers,
            .color = wants_color(options, terminal)};
}

Exit perform(const Action& action, const Context& context)
{
    auto done = action(context);
    if (done)
        return *done;
    context.note(done.error().message);
    return exit_of(done.error());
}

} // namespace

Exit run(const std::vector<std::string>& arguments, const Sources& sources, Terminal terminal)
{
    CLI::App app("Shows what ebpfd enforces, and why.", "ebpfctl");
    app.require_subcommand(1);
    app.fallthrough(); // global options may stand behind the command
    Options options;
    Action action;
    add_global_options(app, options);
    add_commands(app, action);
    const auto attached = attach_negations(arguments);
    std::vector<std::string> last_first(attached.rbegin(), attached.rend()); // as CLI11 takes them
    try {
        app.parse(last_first);
    } catch (const CLI::ParseError& error) {
        return app.exit(error, terminal.out, terminal.err) == 0 ? Exit::ok : Exit::usage;
    }
    Style style = style_of(options, terminal);
    return perform(action, Context{options, sources, terminal, style});
}

} // namespace ebpfd::ctl
