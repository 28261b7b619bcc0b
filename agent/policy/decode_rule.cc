// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_rule.h"

#include "policy/decode_selector.h"

namespace ebpfd {

namespace {

void add_except(const Field& field, IpBlock& block, FieldErrors& errors)
{
    const auto cidr = decode_cidr(field, errors);
    if (!cidr)
        return;
    if (!block.cidr.contains(*cidr) || *cidr == block.cidr)
        errors.add(field, cidr->text() + " must lie strictly inside " + block.cidr.text());
    block.except.push_back(*cidr);
}

IpBlock decode_block(const Field& field, FieldErrors& errors)
{
    IpBlock result;
    if (!check_object(field, {"cidr", "except"}, errors))
        return result;
    const auto except = member(field, "except");
    const auto excepted = except ? items(*except, errors) : std::vector<Field>{};
    const auto cidr = member(field, "cidr");
    if (!cidr) {
        errors.add(field, "cidr is required");
        return result;
    }
    const auto block = decode_cidr(*cidr, errors);
    if (!block) {
        for (const Field& one : excepted)
            decode_cidr(one, errors);
        return result;
    }
    result.cidr = *block;
    for (const Field& one : excepted)
        add_except(one, result, errors);
    return result;
}

PolicyRule decode_rule(const Field& field, std::string_view peers, const std::string& file,
                       FieldErrors& errors)
{
    PolicyRule result;
    result.origin = {file, field.value->line, field.value->column};
    if (!check_object(field, {"ports", peers}, errors))
        return result;
    if (const auto list = member(field, peers)) {
        for (const Field& peer : items(*list, errors))
            result.peers.push_back(decode_peer(peer, errors));
    }
    if (const auto list = member(field, "ports")) {
        for (const Field& port : items(*list, errors))
            result.ports.push_back(decode_port(port, errors));
    }
    return result;
}

} // namespace

std::optional<Cidr> decode_cidr(const Field& field, FieldErrors& errors)
{
    const auto text = text_of(field, errors);
    if (!text)
        return std::nullopt;
    const auto cidr = Cidr::parse(*text);
    if (!cidr)
        errors.add(field, "must be a block such as 10.0.0.0/8 or fd00::/8, is \"" + *text + "\"");
    return cidr;
}

PolicyPeer decode_peer(const Field& field, FieldErrors& errors)
{
    PolicyPeer result;
    if (!check_object(field, {"ipBlock", "namespaceSelector", "podSelector"}, errors))
        return result;
    if (const auto block = member(field, "ipBlock"))
        result.block = decode_block(*block, errors);
    if (const auto namespaces = member(field, "namespaceSelector"))
        result.namespaces = decode_selector(*namespaces, errors);
    if (const auto pods = member(field, "podSelector"))
        result.pods = decode_selector(*pods, errors);
    if (result.block && (result.namespaces || result.pods))
        errors.add(field, "ipBlock must not stand beside a selector");
    if (!result.block && !result.namespaces && !result.pods)
        errors.add(field, "needs an ipBlock, a namespaceSelector or a podSelector");
    return result;
}

std::vector<PolicyRule> decode_rules(const Field& list, std::string_view peers,
                                     const std::string& file, FieldErrors& errors)
{
    std::vector<PolicyRule> result;
    for (const Field& rule : items(list, errors))
        result.push_back(decode_rule(rule, peers, file, errors));
    return result;
}

} // namespace ebpfd
