// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"
#include "source/parse.h"
#include "source/read.h"

#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <iterator>

namespace ebpfd::ctl {
namespace {

struct ImpactOptions {
    std::vector<std::string> files;
    std::vector<std::string> remove;
    bool exit_code = false;
};

// Compiling two worlds and judging every connection takes the agent a second at the most.
constexpr milliseconds TIMEOUT{60'000};

std::string workload_text(const Json& workload)
{
    const std::string in = string_at(workload, "/namespace");
    const std::string name = string_at(workload, "/name");
    const std::string kind = string_at(workload, "/kind");
    const std::string text = in.empty() ? name : in + "/" + name;
    return kind == "Service" || kind == "Node" ? kind + " " + text : text;
}

std::string source_text(const Json& row)
{
    return workload_text(member(row, "/source"));
}

std::string destination_text(const Json& row)
{
    return workload_text(member(row, "/destination"));
}

// "80/TCP"; the protocol alone where it has no ports.
std::string port_text(const Json& row)
{
    const Json& port = member(row, "/port");
    const std::string protocol = string_at(row, "/protocol");
    return port == 0 ? protocol : port.dump() + "/" + protocol;
}

std::string example_text(const Json& row)
{
    return value_text(member(row, "/example/source")) + " -> " +
           value_text(member(row, "/example/destination"));
}

const std::vector<Column> COLUMNS{
    {"CHANGE", "/change"},
    {"SOURCE", "", false, source_text},
    {"DESTINATION", "", false, destination_text},
    {"PORT", "", false, port_text},
    {"FLOWS", "/flows"},
    {"OPEN", "/open"},
    {"AT", "/direction"},
    {"POLICY", "/policy"},
    {"RULE", "/rule"},
    {"FILE", "", false, place_text},
    {"LAST SEEN", "/last_seen", true},
    {"BEFORE", "/before/policy", true},
    {"EXAMPLE", "", true, example_text},
};

const std::vector<Column> TOTALS{
    {"Judged", "/flows/judged"},
    {"Open now", "/flows/open"},
    {"Unchanged", "/flows/unchanged"},
    {"Would be cut", "/flows/cut"},
    {"Of those open", "/flows/cut_open"},
    {"Newly allowed", "/flows/newly_allowed"},
    {"Not judged", "/flows/not_judged"},
    {"History since", "/history/since"},
    {"Policies added", "/policies/added"},
    {"Policies replaced", "/policies/replaced"},
    {"Policies removed", "/policies/removed"},
};

Result<std::string> text_of(const std::string& file)
{
    if (file == "-")
        return std::string(std::istreambuf_iterator<char>(std::cin), {});
    auto content = read_file(file);
    if (!content)
        return fail(file, content.error());
    return std::move(content->text);
}

// The files as the agent takes them; null, with a line for the person, if one cannot be used: text
// that cannot be parsed cannot always be sent as JSON either.
Json files_of(const Context& context, const std::vector<std::string>& files)
{
    Json out = Json::array();
    for (const std::string& file : files) {
        auto text = text_of(file);
        if (!text) {
            context.say(text.error().message);
            return nullptr;
        }
        const std::string name = file == "-" ? "(standard input)" : file;
        if (const auto documents = parse_documents(*text, name); !documents) {
            context.say(documents.error().text());
            return nullptr;
        }
        out.push_back({{"name", name}, {"text", std::move(*text)}});
    }
    return out;
}

Result<Json> removed(const Context& context, const std::vector<std::string>& names)
{
    Json out = Json::array();
    for (const std::string& name : names) {
        const bool bare = name.find('/') == std::string::npos;
        const auto full = bare ? context.full_name(name) : Result<ObjectName>(ObjectName{});
        if (!full)
            return fail("--remove", full.error());
        out.push_back(bare ? full->text() : name);
    }
    return out;
}

// Says what is wrong with the files; returns whether anything is.
bool say_errors(const Context& context, const Json& answer)
{
    const Json& errors = member(answer, "/errors");
    for (const Json& error : errors)
        context.say(FileError{
            {string_at(error, "/file"), error.value("line", 0U), error.value("column", 0U)},
            string_at(error, "/reason")}
                        .text());
    return !errors.empty();
}

Result<Exit> show(const Context& context, const ImpactOptions& options)
{
    if (options.files.empty() && options.remove.empty())
        return fail(EINVAL, "want files, or policies to --remove");
    if (std::ranges::count(options.files, "-") > 1)
        return fail(EINVAL, "the standard input can be read once only");
    const auto remove = removed(context, options.remove);
    if (!remove)
        return std::unexpected(remove.error());
    const Json files = files_of(context, options.files);
    if (files.is_null())
        return Exit::error;
    const auto answer =
        context.post("/v1/policy/impact", {{"files", files}, {"remove", *remove}}, TIMEOUT);
    if (!answer)
        return fail("policy impact", answer.error());
    for (const char* what : {"/notes", "/warnings"})
        for (const Json& text : member(*answer, what))
            context.say(value_text(text));
    if (say_errors(context, *answer))
        return Exit::error;
    const bool cuts = options.exit_code && member(*answer, "/flows/cut") != 0;
    return context.print({*answer, {{"", "/changes", COLUMNS, {}}, {"", "", TOTALS, {}}}},
                         cuts ? Exit::denied : Exit::ok);
}

} // namespace

Action define_policy_impact(CLI::App& app)
{
    auto options = std::make_shared<ImpactOptions>();
    app.add_option("files", options->files, "YAML or JSON files of policies; -: standard input")
        ->type_name("FILE");
    app.add_option("--remove", options->remove,
                   "NAMESPACE/NAME or KIND/NAME of a policy as if it were taken out")
        ->allow_extra_args(false)
        ->type_name("NAME");
    app.add_flag("--exit-code", options->exit_code, "Exit with 10 if a connection would be cut");
    return [options](const Context& context) { return show(context, *options); };
}

} // namespace ebpfd::ctl
