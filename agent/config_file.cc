// SPDX-License-Identifier: Apache-2.0
#include "config_file.h"

#include "source/read.h"
#include "source/text_check.h"
#include "source/yaml.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace ebpfd {
namespace {

// The option of that key, or nullptr. Some make sense on a command line only.
CLI::Option* option_of(CLI::App& app, const std::string& key)
{
    static const std::set<std::string> command_line_only{"help", "version", "config", "completion"};
    return command_line_only.contains(key) ? nullptr : app.get_option_no_throw("--" + key);
}

bool is_scalar(const Value& value)
{
    return value.kind != Value::Kind::object && value.kind != Value::Kind::list && !value.is_null();
}

bool is_plain(const Value& value)
{
    return is_scalar(value) ||
           (value.kind == Value::Kind::list && std::ranges::all_of(value.items, is_scalar));
}

// As they are written: whether "on" is a word or a truth, the option knows.
std::vector<std::string> texts_of(const Value& value)
{
    if (is_scalar(value))
        return {value.string};
    std::vector<std::string> out;
    for (const Value& item : value.items)
        out.push_back(item.string);
    return out;
}

Result<void> apply_entry(CLI::App& app, const std::string& path, const std::string& key,
                         uint32_t line, const Value& value)
{
    const auto refuse = [&](uint32_t at, std::string_view reason) {
        return fail(EINVAL, fmt::format("{}:{}: {}", path, at, reason));
    };
    CLI::Option* option = option_of(app, key);
    if (!option)
        return refuse(line, fmt::format("unknown key \"{}\"", key));
    if (!is_plain(value))
        return refuse(line, fmt::format("{}: want a value, or a list", key));
    const auto texts = texts_of(value);
    if (texts.empty() || (texts.size() > 1 && option->get_items_expected_max() == 1))
        return refuse(line, fmt::format("{}: want one value", key));
    if (option->count() > 0)
        return {}; // the command line wins
    try {
        option->add_result(texts);
        option->run_callback();
    } catch (const CLI::ParseError& error) {
        return refuse(value.line, fmt::format("{}: {}", key, error.what()));
    }
    return {};
}

Result<void> apply_entries(CLI::App& app, const std::string& path, const Value& root)
{
    if (root.kind != Value::Kind::object)
        return fail(EINVAL, fmt::format("{}:{}: want \"option: value\" lines", path, root.line));
    for (size_t i = 0; i < root.members.size(); ++i) {
        const auto& [key, value] = root.members[i];
        if (auto applied = apply_entry(app, path, key, root.key_marks[i].first, value); !applied)
            return applied;
    }
    return {};
}

Result<std::vector<Value>> read_config(const std::string& path)
{
    auto file = read_file(path);
    if (!file)
        return fail(file.error().code, fmt::format("read {}: {}", path, file.error().message));
    if (auto bad = check_text(file->text, path))
        return fail(EINVAL, bad->text());
    auto documents = parse_yaml(file->text, path);
    if (!documents)
        return fail(EINVAL, documents.error().text());
    return *std::move(documents);
}

} // namespace

Result<void> apply_config_file(CLI::App& app, const std::string& path)
{
    auto documents = read_config(path);
    if (!documents)
        return std::unexpected(std::move(documents.error()));
    if (documents->size() > 1)
        return fail(EINVAL, fmt::format("{}:{}: want one document", path, (*documents)[1].line));
    return documents->empty() ? Result<void>{} : apply_entries(app, path, documents->front());
}

} // namespace ebpfd
