// SPDX-License-Identifier: Apache-2.0
#include "inventory/decode_kinds.h"

namespace ebpfd {

namespace {

// Entries without a number stand for every port, or for a protocol of another time.
std::vector<ServicePort> service_ports(const ObjectField& list)
{
    std::vector<ServicePort> ports;
    for (const ObjectField& field : list.items()) {
        const auto protocol = field["protocol"].protocol();
        const auto number = field["port"].port();
        if (protocol && number)
            ports.push_back({field["name"].string(), *protocol, *number});
    }
    return ports;
}

// "None": a headless service.
void add_cluster_ip(std::vector<IpAddress>& addresses, const ObjectField& field)
{
    if (field.string() != "None")
        add_address(addresses, field);
}

} // namespace

Service decode_service(const ObjectField& root)
{
    const ObjectField spec = root["spec"];
    Service service;
    service.service_namespace = namespace_of(root);
    service.name = root["metadata"]["name"].string();
    for (const ObjectField& item : spec["clusterIPs"].items())
        add_cluster_ip(service.cluster_ips, item);
    add_cluster_ip(service.cluster_ips, spec["clusterIP"]);
    service.ports = service_ports(spec["ports"]);
    service.origin = root.origin();
    return service;
}

EndpointSlice decode_endpoint_slice(const ObjectField& root)
{
    const ObjectField metadata = root["metadata"];
    EndpointSlice slice;
    slice.slice_namespace = namespace_of(root);
    slice.name = metadata["name"].string();
    slice.service = metadata["labels"]["kubernetes.io/service-name"].string();
    slice.ports = service_ports(root["ports"]);
    slice.origin = root.origin();
    const std::string type = root["addressType"].string();
    if (!type.empty() && type != "IPv4" && type != "IPv6") // "FQDN": names
        return slice;
    for (const ObjectField& endpoint : root["endpoints"].items()) {
        if (!endpoint["conditions"]["ready"].boolean(true))
            continue;
        for (const ObjectField& item : endpoint["addresses"].items())
            add_address(slice.ready_addresses, item);
    }
    return slice;
}

} // namespace ebpfd
