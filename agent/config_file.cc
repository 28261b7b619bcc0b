// SPDX-License-Identifier: Apache-2.0
#include "config_file.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <yaml-cpp/yaml.h>

namespace ebpfd {
namespace {

std::unexpected<Error> fail_at(const std::string& path, const YAML::Mark& mark,
                               std::string_view reason)
{
    return fail(EINVAL, fmt::format("{}:{}: {}", path, mark.line + 1, reason));
}

// The option of that key, or nullptr. Some make sense on a command line only.
CLI::Option* option_of(CLI::App& app, const std::string& key)
{
    static const std::set<std::string> command_line_only{"help", "version", "config",
                                                        "completion"};
    return command_line_only.contains(key) ? nullptr : app.get_option_no_throw("--" + key);
}

bool is_plain(const YAML::Node& value)
{
    if (value.IsScalar())
        return true;
    return value.IsSequence() && std::all_of(value.begin(), value.end(),
                                             [](const auto& item) { return item.IsScalar(); });
}

std::vector<std::string> texts_of(const YAML::Node& value)
{
    if (value.IsScalar())
        return {value.Scalar()};
    std::vector<std::string> out;
    for (const auto& item : value)
        out.push_back(item.Scalar());
    return out;
}

Result<void> apply_entry(CLI::App& app, const std::string& path, const YAML::Node& key_node,
                         const YAML::Node& value)
{
    const std::string key = key_node.IsScalar() ? key_node.Scalar() : "";
    CLI::Option* option = option_of(app, key);
    if (!option)
        return fail_at(path, key_node.Mark(), fmt::format("unknown key \"{}\"", key));
    if (!is_plain(value))
        return fail_at(path, key_node.Mark(), fmt::format("{}: want a value, or a list", key));
    const auto texts = texts_of(value);
    if (texts.empty() || (texts.size() > 1 && option->get_items_expected_max() == 1))
        return fail_at(path, key_node.Mark(), fmt::format("{}: want one value", key));
    if (option->count() > 0)
        return {}; // the command line wins
    try {
        option->add_result(texts);
        option->run_callback();
    } catch (const CLI::ParseError& error) {
        return fail_at(path, value.Mark(), fmt::format("{}: {}", key, error.what()));
    }
    return {};
}

Result<void> apply_entries(CLI::App& app, const std::string& path, const YAML::Node& root)
{
    if (root.IsNull())
        return {};
    if (!root.IsMap())
        return fail_at(path, root.Mark(), "want \"option: value\" lines");
    std::set<std::string> seen;
    for (const auto& entry : root) {
        if (entry.first.IsScalar() && !seen.insert(entry.first.Scalar()).second)
            return fail_at(path, entry.first.Mark(),
                           fmt::format("{} stands there twice", entry.first.Scalar()));
        if (auto applied = apply_entry(app, path, entry.first, entry.second); !applied)
            return applied;
    }
    return {};
}

} // namespace

Result<void> apply_config_file(CLI::App& app, const std::string& path)
{
    std::ifstream in(path);
    if (!in)
        return fail_errno("read " + path);
    try {
        return apply_entries(app, path, YAML::Load(in));
    } catch (const YAML::Exception& error) {
        return fail_at(path, error.mark, error.msg);
    }
}

} // namespace ebpfd
