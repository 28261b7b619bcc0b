// SPDX-License-Identifier: Apache-2.0
#include "analysis/policy_lint.h"
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"
#include "ebpfctl/document_files.h"
#include "ebpfctl/inventory_files.h"
#include "policy/cluster_policy.h"
#include "policy/network_policy.h"
#include "source/parse.h"
#include "source/read.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>

namespace ebpfd::ctl {
namespace {

struct Wanted {
    std::vector<std::string> paths;
    bool strict = false;
    std::vector<std::string> inventory;
};

struct FileCheck {
    std::string file;
    World world; // its policies
    std::vector<FileError> errors;
    std::vector<std::string> notes;
    std::vector<Finding> findings;
};

std::string note_of(const Document& document)
{
    bool foreign = is_foreign_policy_kind(document.api_version, document.kind);
    return fmt::format("{}:{}: {} of {} {}", document.file, document.root.line, document.kind,
                       document.api_version,
                       foreign ? "would not be enforced: ebpfd does not know it"
                               : "would be skipped: it is no policy");
}

template <class T> void append(SharedList<T>& to, const SharedList<T>& from)
{
    auto& all = to.edit();
    all.insert(all.end(), from.begin(), from.end());
}

template <class Policy>
void keep(FileCheck& check, std::expected<Policy, std::vector<FileError>> policy,
          SharedList<std::shared_ptr<const Policy>>& policies)
{
    if (policy)
        policies.push_back(std::make_shared<const Policy>(std::move(*policy)));
    else
        check.errors.insert(check.errors.end(), policy.error().begin(), policy.error().end());
}

void check_document(FileCheck& check, const Document& document)
{
    const auto& [version, kind] = std::tie(document.api_version, document.kind);
    if (is_policy_kind(version, kind)) {
        keep(check, decode_network_policy(document), check.world.policies);
    } else if (is_cluster_policy_kind(version, kind)) {
        auto policy = decode_cluster_policy(document);
        if (policy)
            check.notes.insert(check.notes.end(), policy->notes.begin(), policy->notes.end());
        keep(check, std::move(policy), check.world.cluster_policies);
    } else if (const auto misnamed = misnamed_policy(document)) {
        check.errors.push_back(*misnamed);
    } else {
        check.notes.push_back(note_of(document));
    }
}

FileCheck unreadable(const std::string& path, const Error& why)
{
    FileCheck check;
    check.file = path;
    FileError& error = check.errors.emplace_back();
    error.origin.file = path;
    error.reason = why.message;
    return check;
}

FileCheck check_file(const std::string& file)
{
    auto content = read_file(file);
    if (!content)
        return unreadable(file, content.error());
    FileCheck check;
    check.file = file;
    auto documents = parse_documents(content->text, file);
    if (!documents) {
        check.errors.push_back(documents.error());
        return check;
    }
    for (const Document& document : *documents)
        check_document(check, document);
    return check;
}

std::vector<FileCheck> check_path(const Context& context, const std::string& path)
{
    const auto files = document_files(path);
    if (!files)
        return {unreadable(path, files.error())};
    if (files->empty())
        context.say(path + ": no .yaml, .yml or .json file lies there");
    std::vector<FileCheck> checks;
    for (const std::string& file : *files)
        checks.push_back(check_file(file));
    return checks;
}

// Of files that say the same, the one with the later name counts.
World world_of(const std::vector<FileCheck>& checks, World inventory)
{
    std::vector<const FileCheck*> ordered;
    for (const FileCheck& check : checks)
        ordered.push_back(&check);
    std::ranges::stable_sort(ordered, {}, [](const FileCheck* check) {
        return std::pair(std::filesystem::path(check->file).filename().string(), check->file);
    });
    for (const FileCheck* check : ordered) {
        const auto& [policies, cluster_policies] =
            std::tie(check->world.policies, check->world.cluster_policies);
        append(inventory.policies, policies);
        append(inventory.cluster_policies, cluster_policies);
    }
    return inventory;
}

void assign(std::vector<FileCheck>& checks, const std::vector<Finding>& findings)
{
    for (const Finding& finding : findings) {
        const auto check = std::ranges::find(checks, finding.origin.file, &FileCheck::file);
        if (check != checks.end())
            check->findings.push_back(finding);
    }
}

// The findings go to their files; returns what is wrong with the inventory.
std::vector<FileError> lint(std::vector<FileCheck>& checks, const Wanted& wanted)
{
    InventoryRead inventory = read_inventory(wanted.inventory);
    const World world = world_of(checks, std::move(inventory.world));
    assign(checks, wanted.inventory.empty() ? lint_as_written(world) : lint_by_inventory(world));
    return inventory.errors;
}

bool is_faulty(const FileCheck& check)
{
    return !check.errors.empty() || std::ranges::any_of(check.findings, [](const Finding& one) {
        return one.level == Finding::Level::warning;
    });
}

Json findings_of(const FileCheck& check)
{
    Json findings = Json::array();
    for (const Finding& finding : check.findings)
        findings.push_back(Json{{"level", level_name(finding.level)},
                                {"code", finding.code},
                                {"policy", finding.policy},
                                {"rule", finding.rule},
                                {"line", finding.origin.line},
                                {"text", finding.text}});
    return findings;
}

Json row_of(const FileCheck& check, bool strict)
{
    Json errors = Json::array();
    for (const FileError& error : check.errors)
        errors.push_back(Json{{"line", error.origin.line},
                              {"column", error.origin.column},
                              {"reason", error.reason}});
    Json row{{"file", check.file},
             {"valid", check.errors.empty()},
             {"policies", check.world.policy_count()},
             {"errors", errors},
             {"notes", check.notes}};
    if (strict)
        row["findings"] = findings_of(check);
    return row;
}

void say(const Context& context, const FileCheck& check)
{
    for (const std::string& note : check.notes)
        context.say(note);
    for (const FileError& error : check.errors)
        context.say(error.text());
    for (const Finding& finding : check.findings)
        context.say(finding.line());
}

std::vector<Cell> valid_line(const Json& row, bool)
{
    const Json &count = row["policies"], &found = member(row, "/findings");
    std::string file = string_at(row, "/file");
    if (!row["valid"])
        return {{file + ":"}, {"invalid", Color::red}};
    return {{file + ":"},
            {"valid", Color::green},
            {fmt::format("({} {}{})", count.dump(), count == 1 ? "policy" : "policies",
                         found.empty() ? "" : fmt::format(", {} found", found.size()))}};
}

Result<Exit> validate(const Context& context, const Wanted& wanted)
{
    if (!wanted.inventory.empty() && !wanted.strict)
        return fail(EINVAL, "--inventory is for --strict");
    std::vector<FileCheck> checks;
    for (const std::string& path : wanted.paths)
        std::ranges::move(check_path(context, path), std::back_inserter(checks));
    std::vector<FileError> inventory_errors;
    if (wanted.strict)
        inventory_errors = lint(checks, wanted);
    for (const FileError& error : inventory_errors)
        context.say(error.text());
    Json rows = Json::array();
    for (const FileCheck& check : checks) {
        say(context, check);
        rows.push_back(row_of(check, wanted.strict));
    }
    const bool good = inventory_errors.empty() && std::ranges::none_of(checks, is_faulty);
    return context.print({rows, {{"", "", {}, valid_line}}}, good ? Exit::ok : Exit::error);
}

} // namespace

Action define_policy_validate(CLI::App& app)
{
    auto wanted = std::make_shared<Wanted>();
    app.add_option("paths", wanted->paths,
                   "YAML or JSON files, or folders of which the agent would read them")
        ->required()
        ->type_name("PATH");
    app.add_flag("--strict", wanted->strict,
                 "Find rules that can never decide, too; a warning makes it fail");
    app.add_option("--inventory", wanted->inventory,
                   "With --strict: judge rules by these pods, namespaces and nodes")
        ->type_name("PATH")
        ->allow_extra_args(false);
    return [wanted](const Context& context) { return validate(context, *wanted); };
}

} // namespace ebpfd::ctl
