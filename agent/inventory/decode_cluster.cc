// SPDX-License-Identifier: Apache-2.0
#include "inventory/decode_kinds.h"

#include <algorithm>

namespace ebpfd {

std::string namespace_of(const ObjectField& root)
{
    std::string name = root["metadata"]["namespace"].string();
    return name.empty() ? "default" : name;
}

void add_address(std::vector<IpAddress>& addresses, const ObjectField& field)
{
    const auto address = field.address();
    if (address && std::ranges::find(addresses, *address) == addresses.end())
        addresses.push_back(*address);
}

Namespace decode_namespace(const ObjectField& root)
{
    const ObjectField metadata = root["metadata"];
    Namespace decoded;
    decoded.name = metadata["name"].string();
    decoded.labels = metadata["labels"].string_map();
    decoded.labels.emplace("kubernetes.io/metadata.name", decoded.name);
    decoded.origin = root.origin();
    return decoded;
}

Node decode_node(const ObjectField& root)
{
    Node node;
    node.name = root["metadata"]["name"].string();
    node.labels = root["metadata"]["labels"].string_map();
    for (const ObjectField& item : root["status"]["addresses"].items()) {
        const std::string type = item["type"].string();
        if (type == "InternalIP" || type == "ExternalIP")
            add_address(node.addresses, item["address"]);
    }
    node.origin = root.origin();
    return node;
}

} // namespace ebpfd
