// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/command.h"

#include <algorithm>
#include <fmt/format.h>

namespace ebpfd::ctl {
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
    std::string text = "        case \"$place $word\" in\n        ";
    for (size_t i = 1; i < places.size(); i++)
        text += fmt::format("{}\"{}\"", i == 1 ? "" : "|", places[i].path);
    return text + ") place=\"$place $word\" ;;\n        esac\n";
}

std::string bash_script(const std::vector<Place>& places)
{
    return "_ebpfctl() {\n"
           "    local place=ebpfctl candidates= word\n"
           "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n" +
           steps(places) + "    done\n" + cases(places) +
           "    COMPREPLY=($(compgen -W \"$candidates\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "}\n"
           "complete -o default -F _ebpfctl ebpfctl\n";
}

std::string zsh_script(const std::vector<Place>& places)
{
    return "#compdef ebpfctl\n"
           "_ebpfctl() {\n"
           "    local place=ebpfctl candidates= word\n"
           "    for word in \"${(@)words[2,CURRENT-1]}\"; do\n" +
           steps(places) + "    done\n" + cases(places) +
           "    compadd -- ${=candidates} || _files\n"
           "}\n"
           "compdef _ebpfctl ebpfctl\n";
}

std::string fish_script(const std::vector<Place>& places)
{
    std::string text = "function __ebpfctl_place\n"
                       "    set -l place ebpfctl\n"
                       "    for word in (commandline -opc)[2..-1]\n"
                       "        switch \"$place $word\"\n"
                       "            case";
    for (size_t i = 1; i < places.size(); i++)
        text += fmt::format(" '{}'", places[i].path);
    text += "\n                set place \"$place $word\"\n        end\n    end\n"
            "    echo $place\nend\n";
    for (const Place& place : places)
        text += fmt::format("complete -c ebpfctl -n 'test (__ebpfctl_place) = \"{}\"' -a '{} {}'\n",
                            place.path, join(place.subcommands), join(place.options));
    return text;
}

Result<Exit> print_script(const Context& context, const CLI::App& app, const std::string& shell)
{
    std::vector<Place> places;
    collect(app, "ebpfctl", places);
    if (shell == "bash")
        context.terminal.out << bash_script(places);
    else if (shell == "zsh")
        context.terminal.out << zsh_script(places);
    else
        context.terminal.out << fish_script(places);
    return Exit::ok;
}

} // namespace

Action define_completion(CLI::App& app)
{
    auto shell = std::make_shared<std::string>();
    app.add_option("shell", *shell, "Shell")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}))
        ->type_name("SHELL");
    return [shell, &app](const Context& context) {
        return print_script(context, *app.get_parent(), *shell);
    };
}

} // namespace ebpfd::ctl
