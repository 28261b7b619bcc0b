// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"
#include "policy/cluster_policy.h"
#include "policy/network_policy.h"
#include "source/parse.h"
#include "source/read.h"

#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

struct FileCheck {
    size_t policies = 0;
    std::vector<FileError> errors;
    std::vector<std::string> notes;
};

std::string note_of(const Document& document)
{
    bool foreign = is_foreign_policy_kind(document.api_version, document.kind);
    return fmt::format("{}:{}: {} of {} {}", document.file, document.root.line, document.kind,
                       document.api_version,
                       foreign ? "would not be enforced: ebpfd does not know it"
                               : "would be skipped: it is no policy");
}

template <class Policy>
void count(FileCheck& check, const std::expected<Policy, std::vector<FileError>>& policy)
{
    if (policy)
        check.policies++;
    else
        check.errors.insert(check.errors.end(), policy.error().begin(), policy.error().end());
}

void check_document(FileCheck& check, const Document& document)
{
    const auto& [version, kind] = std::tie(document.api_version, document.kind);
    if (is_policy_kind(version, kind)) {
        count(check, decode_network_policy(document));
    } else if (is_cluster_policy_kind(version, kind)) {
        const auto policy = decode_cluster_policy(document);
        if (policy)
            check.notes.insert(check.notes.end(), policy->notes.begin(), policy->notes.end());
        count(check, policy);
    } else if (const auto misnamed = misnamed_policy(document)) {
        check.errors.push_back(*misnamed);
    } else {
        check.notes.push_back(note_of(document));
    }
}

FileCheck check_file(const std::string& file)
{
    FileCheck check;
    auto content = read_file(file);
    if (!content) {
        FileError& error = check.errors.emplace_back();
        error.origin.file = file;
        error.reason = content.error().message;
        return check;
    }
    auto documents = parse_documents(content->text, file);
    if (!documents) {
        check.errors.push_back(documents.error());
        return check;
    }
    for (const Document& document : *documents)
        check_document(check, document);
    return check;
}

Json row_of(const std::string& file, const FileCheck& check)
{
    Json errors = Json::array();
    for (const FileError& error : check.errors)
        errors.push_back(Json{{"line", error.origin.line},
                              {"column", error.origin.column},
                              {"reason", error.reason}});
    return {{"file", file},
            {"valid", check.errors.empty()},
            {"policies", check.policies},
            {"errors", errors},
            {"notes", check.notes}};
}

std::vector<Cell> valid_line(const Json& row, bool)
{
    const Json& count = row["policies"];
    std::string file = string_at(row, "/file");
    if (!row["valid"])
        return {{file + ":"}, {"invalid", Color::red}};
    return {{file + ":"},
            {"valid", Color::green},
            {fmt::format("({} {})", count.dump(), count == 1 ? "policy" : "policies")}};
}

Result<Exit> validate(const Context& context, const std::vector<std::string>& files)
{
    Json rows = Json::array();
    bool valid = true;
    for (const std::string& file : files) {
        FileCheck check = check_file(file);
        for (const std::string& note : check.notes)
            context.say(note);
        for (const FileError& error : check.errors)
            context.say(error.text());
        valid = valid && check.errors.empty();
        rows.push_back(row_of(file, check));
    }
    return context.print({rows, {{"", "", {}, valid_line}}}, valid ? Exit::ok : Exit::error);
}

} // namespace

Action define_policy_validate(CLI::App& app)
{
    auto files = std::make_shared<std::vector<std::string>>();
    app.add_option("files", *files, "YAML or JSON files")->required()->type_name("FILE");
    return [files](const Context& context) { return validate(context, *files); };
}

} // namespace ebpfd::ctl
