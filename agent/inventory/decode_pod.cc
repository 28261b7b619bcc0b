// SPDX-License-Identifier: Apache-2.0
#include "inventory/decode_kinds.h"

#include <net/if.h>

namespace ebpfd {

namespace {

// As the kernel has it: up to 15 bytes, no slash, colon or white space.
bool is_interface_name(std::string_view name)
{
    return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
           name.find_first_of("/: \t\n\v\f\r") == std::string_view::npos;
}

std::string interface_of(const ObjectField& metadata)
{
    const ObjectField annotation = metadata["annotations"]["ebpfd.io/interface"];
    std::string name = annotation.string();
    if (annotation.present() && !is_interface_name(name))
        annotation.complain("must be the name of an interface: 1 to 15 characters, no '/', ':' "
                            "or white space");
    return name;
}

std::optional<Controller> controller_of(const ObjectField& metadata)
{
    for (const ObjectField& owner : metadata["ownerReferences"].items())
        if (owner["controller"].boolean(false))
            return Controller{owner["kind"].string(), owner["name"].string()};
    return std::nullopt;
}

void add_named_ports(std::vector<NamedPort>& ports, const ObjectField& container)
{
    for (const ObjectField& field : container["ports"].items()) {
        const std::string name = field["name"].string();
        const auto protocol = field["protocol"].protocol();
        const auto number = field["containerPort"].port();
        if (!name.empty() && protocol && number)
            ports.push_back({name, *protocol, *number});
    }
}

} // namespace

Pod decode_pod(const ObjectField& root)
{
    const ObjectField metadata = root["metadata"];
    const ObjectField spec = root["spec"];
    const ObjectField status = root["status"];
    Pod pod;
    pod.pod_namespace = namespace_of(root);
    pod.name = metadata["name"].string();
    pod.uid = metadata["uid"].string();
    pod.labels = metadata["labels"].string_map();
    pod.node = spec["nodeName"].string();
    pod.interface = interface_of(metadata);
    pod.created = metadata["creationTimestamp"].string();
    pod.terminating = metadata["deletionTimestamp"].present();
    pod.host_network = spec["hostNetwork"].boolean(false);
    const std::string phase = status["phase"].string();
    pod.finished = phase == "Succeeded" || phase == "Failed";
    for (const ObjectField& item : status["podIPs"].items())
        add_address(pod.addresses, item["ip"]);
    add_address(pod.addresses, status["podIP"]);
    for (const ObjectField& container : spec["containers"].items())
        add_named_ports(pod.ports, container);
    for (const ObjectField& container : spec["initContainers"].items())
        if (container["restartPolicy"].string() == "Always")
            add_named_ports(pod.ports, container);
    pod.controller = controller_of(metadata);
    pod.origin = root.origin();
    return pod;
}

} // namespace ebpfd
