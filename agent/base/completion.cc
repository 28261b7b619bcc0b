// SPDX-License-Identifier: Apache-2.0
#include "base/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

namespace ebpfd {
namespace {

// What may follow a path of subcommands, "ebpfctl policy" for one.
struct Place {
    std::string path;
    std::vector<std::string> subcommands;
    std::vector<std::string> options; // "--output"
};

std::vector<std::string> long_options(const CLI::App& app)
{
    std::vector<std::string> names;
    const auto is_shown = [](const CLI::Option* option) { return !option->get_group().empty(); };
    for (const CLI::Option* option : app.get_options(is_shown))
        for (const std::string& name : option->get_lnames())
            names.push_back("--" + name);
    return names;
}

// The whole tree. Options of the top stand everywhere, since they may be given anywhere.
void collect(const CLI::App& app, const std::string& path, std::vector<Place>& places)
{
    Place place{path, {}, long_options(app)};
    if (!places.empty()) {
        for (const std::string& global : places.front().options)
            if (std::ranges::find(place.options, global) == place.options.end())
                place.options.push_back(global);
    }
    auto subcommands = app.get_subcommands([](const CLI::App*) { return true; });
    for (const CLI::App* sub : subcommands)
        place.subcommands.push_back(sub->get_name());
    places.push_back(place);
    for (const CLI::App* sub : subcommands)
        collect(*sub, path + " " + sub->get_name(), places);
}

std::string join(const std::vector<std::string>& words)
{
    return fmt::format("{}", fmt::join(words, " "));
}

// A shell case that sets the candidates of a place.
std::string cases(const std::vector<Place>& places)
{
    std::string text = "    case \"$place\" in\n";
    for (const Place& place : places)
        text += fmt::format("    \"{}\") candidates=\"{} {}\" ;;\n", place.path,
                            join(place.subcommands), join(place.options));
    return text + "    esac\n";
}

// A shell case that accepts the word as a step further down the tree.
std::string steps(const std::vector<Place>& places)
{
    if (places.size() == 1) // no subcommands
        return "        :\n";
    std::string text = "        case \"$place $word\" in\n        ";
    for (size_t i = 1; i < places.size(); i++)
        text += fmt::format("{}\"{}\"", i == 1 ? "" : "|", places[i].path);
    return text + ") place=\"$place $word\" ;;\n        esac\n";
}

std::string bash_script(const std::string& program, const std::vector<Place>& places)
{
    return fmt::format("_{0}() {{\n"
                       "    local place={0} candidates= word\n"
                       "    for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n",
                       program) +
           steps(places) + "    done\n" + cases(places) +
           fmt::format("    COMPREPLY=($(compgen -W \"$candidates\" -- "
                       "\"${{COMP_WORDS[COMP_CWORD]}}\"))\n"
                       "}}\n"
                       "complete -o default -F _{0} {0}\n",
                       program);
}

std::string zsh_script(const std::string& program, const std::vector<Place>& places)
{
    return fmt::format("#compdef {0}\n"
                       "_{0}() {{\n"
                       "    local place={0} candidates= word\n"
                       "    for word in \"${{(@)words[2,CURRENT-1]}}\"; do\n",
                       program) +
           steps(places) + "    done\n" + cases(places) +
           fmt::format("    compadd -- ${{=candidates}} || _files\n"
                       "}}\n"
                       "compdef _{0} {0}\n",
                       program);
}

std::string fish_steps(const std::vector<Place>& places)
{
    if (places.size() == 1)
        return "";
    std::string text = "    for word in (commandline -opc)[2..-1]\n"
                       "        switch \"$place $word\"\n"
                       "            case";
    for (size_t i = 1; i < places.size(); i++)
        text += fmt::format(" '{}'", places[i].path);
    return text + "\n                set place \"$place $word\"\n        end\n    end\n";
}

std::string fish_script(const std::string& program, const std::vector<Place>& places)
{
    std::string text = fmt::format("function __{0}_place\n    set -l place {0}\n", program) +
                       fish_steps(places) + "    echo $place\nend\n";
    for (const Place& place : places)
        text += fmt::format("complete -c {0} -n 'test (__{0}_place) = \"{1}\"' -a '{2} {3}'\n",
                            program, place.path, join(place.subcommands), join(place.options));
    return text;
}

} // namespace

std::string completion_script(const CLI::App& app, const std::string& shell)
{
    const std::string& program = app.get_name();
    std::vector<Place> places;
    collect(app, program, places);
    if (shell == "bash")
        return bash_script(program, places);
    return shell == "zsh" ? zsh_script(program, places) : fish_script(program, places);
}

} // namespace ebpfd
