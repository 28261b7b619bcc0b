// SPDX-License-Identifier: Apache-2.0
#include "api/client.h"
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"

#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

constexpr size_t ROWS_MAX = 25; // of a table for the eye
constexpr size_t BLOCKS_MAX = 3;

struct Wanted {
    std::string pod;
    std::string direction;
};

std::string peer_text(const Json& row)
{
    const Json& pods = member(row, "/pods");
    if (const std::string workload = string_at(row, "/workload"); !workload.empty())
        return fmt::format("{} ({} {})", workload, pods.dump(), pods == 1 ? "pod" : "pods");
    std::string text = member(row, "/elsewhere") == true ? "all other addresses" : "";
    const Json& blocks = member(row, "/blocks");
    for (size_t index = 0; index < std::min(blocks.size(), BLOCKS_MAX); ++index)
        text += (text.empty() ? "" : ", ") + value_text(blocks[index]);
    if (blocks.size() > BLOCKS_MAX)
        text += fmt::format(" and {} more blocks", blocks.size() - BLOCKS_MAX);
    return text;
}

std::string rule_of(const Json& row)
{
    const std::string policy = string_at(row, "/policy");
    return policy.empty() ? "no rule" : policy + " " + string_at(row, "/rule");
}

const std::vector<Column> DECIDED{
    {"PEER", "", false, peer_text},
    {"PORTS", "/ports"},
    {"BY", "", false, rule_of},
    {"FILE", "", false, place_text},
};

// A line of what applies: how far in it stands, and a word of colour before the rest.
Json line(size_t depth, const std::string& word, const std::string& text)
{
    return {{"depth", depth}, {"word", word}, {"text", text}};
}

std::vector<Cell> show_line(const Json& row, bool)
{
    const std::string indent(2 * row["depth"].get<size_t>(), ' ');
    const std::string word = string_at(row, "/word");
    std::vector<Cell> cells{{indent + word, color_of(word)}};
    if (word.empty())
        cells = {{indent + string_at(row, "/text")}};
    else
        cells.push_back({string_at(row, "/text")});
    return cells;
}

std::string joined(const Json& list, const std::string& by)
{
    std::string text;
    for (const Json& item : list)
        text += (text.empty() ? "" : by) + value_text(item);
    return text;
}

Json rule_line(const Json& rule, bool ingress)
{
    return line(2, string_at(rule, "/action"),
                fmt::format("{} {} on {}  [{}, {}]", ingress ? "from" : "to",
                            joined(member(rule, "/peers"), "; "),
                            joined(member(rule, "/ports"), ", "), string_at(rule, "/rule"),
                            place_text(rule)));
}

// Tier by tier, as the search for the deciding rule goes.
Json tier_lines(const Json& tiers, bool ingress)
{
    Json lines = Json::array();
    for (const Json& tier : tiers) {
        lines.push_back(line(0, "", string_at(tier, "/tier")));
        for (const Json& policy : member(tier, "/policies")) {
            const Json& priority = member(policy, "/priority");
            lines.push_back(
                line(1, "",
                     fmt::format("{}{}{}  [{}]", string_at(policy, "/policy"),
                                 priority.is_number() ? ", priority " + priority.dump() : "",
                                 string_at(policy, "/mode") == "dry-run" ? ", dry run: decides nothing" : "",
                                 place_text(policy))));
            for (const Json& rule : member(policy, "/rules"))
                lines.push_back(rule_line(rule, ingress));
        }
        lines.push_back(line(1, "", string_at(tier, "/closing")));
    }
    if (ingress)
        lines.push_back(line(0, "", "whatever they say, the pod's own node reaches it"));
    return lines;
}

// The rows of that verdict, shortened; `left` counts those that are left out.
Json rows_of(const Json& decided, const std::string& verdict, size_t& left)
{
    Json rows = Json::array();
    for (const Json& row : decided) {
        if (string_at(row, "/verdict") != verdict)
            continue;
        if (rows.size() < ROWS_MAX)
            rows.push_back(row);
        else
            ++left;
    }
    return rows;
}

Json more(size_t left)
{
    if (left == 0)
        return Json::array();
    return Json::array({line(0, "", fmt::format("and {} more: see -o json", left))});
}

struct View {
    Json data = Json::object();
    std::vector<Section> sections;

    void add(const std::string& title, const std::string& name, Json part,
             const std::vector<Column>& columns)
    {
        data[name] = std::move(part);
        sections.push_back({title, "/" + name, columns, columns.empty() ? show_line : Line{}});
    }
};

void add_decided(View& view, const std::string& name, const std::string& title, const Json& decided,
                 const std::string& verdict)
{
    size_t left = 0;
    Json rows = rows_of(decided, verdict, left);
    view.add(title, name + verdict, std::move(rows), DECIDED);
    view.add("", name + verdict + "_more", more(left), {});
}

void add_direction(View& view, const Json& answer, const std::string& name)
{
    const Json& explained = member(answer, "/" + name);
    if (explained.is_null())
        return;
    const bool ingress = name == "ingress";
    const std::string pod = string_at(answer, "/namespace") + "/" + string_at(answer, "/pod");
    view.add((ingress ? "INGRESS to " : "EGRESS from ") + pod, name,
             tier_lines(member(explained, "/tiers"), ingress), {});
    const Json& decided = member(explained, "/decided");
    add_decided(view, name, "Allowed in the end, as far as this side decides", decided, "allow");
    add_decided(view, name, "Refused by a rule", decided, "deny");
}

View view_of(const Json& answer, const std::string& direction)
{
    View view;
    Json head = Json::array();
    head.push_back(line(0, "",
                        fmt::format("{}/{}, of {}{}", string_at(answer, "/namespace"),
                                    string_at(answer, "/pod"), string_at(answer, "/workload"),
                                    answer["local"] == true ? "" : ", on another node")));
    if (answer["exempt"] == true)
        head.push_back(line(0, "", "no policy selects it: it is of the host network, or finished"));
    view.add("", "head", std::move(head), {});
    for (const char* name : {"ingress", "egress"})
        if (direction.empty() || direction == name)
            add_direction(view, answer, name);
    return view;
}

bool is_for_the_eye(const Context& context)
{
    return context.style.format == Format::table || context.style.format == Format::wide;
}

Result<Exit> explain(const Context& context, const Wanted& wanted)
{
    auto name = context.full_name(wanted.pod);
    if (!name)
        return std::unexpected(name.error());
    auto answer = context.get("/v1/policy/explain?pod=" + url_encode(name->text()));
    if (!answer)
        return fail("explain " + name->text(), answer.error());
    if (wanted.direction == "ingress")
        answer->erase("egress");
    if (wanted.direction == "egress")
        answer->erase("ingress");
    if (!is_for_the_eye(context))
        return context.print({*answer, {}});
    View view = view_of(*answer, wanted.direction);
    return context.print({std::move(view.data), std::move(view.sections)});
}

} // namespace

Action define_policy_explain(CLI::App& app)
{
    auto wanted = std::make_shared<Wanted>();
    app.add_option("pod", wanted->pod, "NAMESPACE/NAME of any pod")->required()->type_name("POD");
    app.add_option("--direction", wanted->direction, "Only this direction")
        ->check(CLI::IsMember({"ingress", "egress"}))
        ->type_name("DIRECTION");
    return [wanted](const Context& context) { return explain(context, *wanted); };
}

} // namespace ebpfd::ctl
