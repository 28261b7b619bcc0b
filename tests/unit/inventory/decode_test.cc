// SPDX-License-Identifier: Apache-2.0
#include "inventory/decode.h"
#include "yaml_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ebpfd;
using testing::ElementsAre;
using testing::Pair;

namespace {

template <class T> T decoded(const std::string& text)
{
    auto object = decode_inventory(yaml_document(text));
    if (!object) {
        ADD_FAILURE() << object.error().front().reason;
        return {};
    }
    EXPECT_TRUE(std::holds_alternative<T>(*object));
    return std::get<T>(*object);
}

std::vector<std::string> texts(const std::vector<IpAddress>& addresses)
{
    std::vector<std::string> found;
    for (const IpAddress& address : addresses)
        found.push_back(address.text());
    return found;
}

template <class Port> std::vector<std::string> port_texts(const std::vector<Port>& ports)
{
    std::vector<std::string> found;
    for (const auto& port : ports) {
        uint16_t number = 0;
        if constexpr (requires { port.number; })
            number = port.number;
        else
            number = port.port;
        found.push_back(port.name + ":" + std::to_string(static_cast<int>(port.protocol)) + ":" +
                        std::to_string(number));
    }
    return found;
}

const std::string pod = "apiVersion: v1\nkind: Pod\n";
const std::string web = pod + "metadata: {name: web}\n";
const std::string slice = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                          "metadata: {name: s, labels: {kubernetes.io/service-name: web}}\n";
const std::string service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n";

} // namespace

TEST(Decode, APodsControllerIsTheOwnerThatSaysSo)
{
    const auto owned = decoded<Pod>(pod + "metadata: {name: web, ownerReferences: [{kind: Node, "
                                          "name: n}, {kind: ReplicaSet, name: web-1, controller: "
                                          "true}]}\n");
    EXPECT_EQ(owned.controller, (Controller{"ReplicaSet", "web-1"}));
    EXPECT_EQ(decoded<Pod>(web).controller, std::nullopt);
}

TEST(Decode, PodOfManyFields)
{
    const auto got = decoded<Pod>(R"(apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
  uid: 7b1
  labels: {app: web, tier: "1"}
  creationTimestamp: "2024-05-01T10:00:00Z"
  annotations: {ebpfd.io/interface: veth1, other: thing}
  managedFields: [{manager: kubelet}]
spec:
  nodeName: node-a
  hostNetwork: true
  containers:
  - name: web
    image: web:1
    ports:
    - {name: http, containerPort: 8080}
    - {name: dns, containerPort: 53, protocol: UDP}
    - {containerPort: 9000}
  initContainers:
  - {name: gone, ports: [{name: setup, containerPort: 1}]}
  - {name: stays, restartPolicy: Always, ports: [{name: proxy, containerPort: 15001, protocol: SCTP}]}
status:
  phase: Running
  podIP: 10.1.0.10
  podIPs: [{ip: 10.1.0.10}, {ip: "fd00:1::10"}]
)");
    EXPECT_EQ(got.key(), "shop/web");
    EXPECT_EQ(got.uid, "7b1");
    EXPECT_THAT(got.labels, ElementsAre(Pair("app", "web"), Pair("tier", "1")));
    EXPECT_EQ(got.created, "2024-05-01T10:00:00Z");
    EXPECT_EQ(got.interface, "veth1");
    EXPECT_EQ(got.node, "node-a");
    EXPECT_TRUE(got.host_network);
    EXPECT_FALSE(got.finished);
    EXPECT_THAT(texts(got.addresses), ElementsAre("10.1.0.10", "fd00:1::10"));
    EXPECT_THAT(port_texts(got.ports), ElementsAre("http:6:8080", "dns:17:53", "proxy:132:15001"));
    EXPECT_EQ(got.origin, (Origin{"test.yaml", 1, 1}));
}

TEST(Decode, PodOfANameAloneHasDefaults)
{
    const auto got = decoded<Pod>(web);
    EXPECT_EQ(got.key(), "default/web");
    EXPECT_TRUE(got.node.empty() && got.interface.empty() && got.created.empty());
    EXPECT_FALSE(got.host_network);
    EXPECT_FALSE(got.finished);
    EXPECT_TRUE(got.addresses.empty() && got.ports.empty() && got.labels.empty());
}

TEST(Decode, NullIsAbsent)
{
    const auto got = decoded<Pod>(
        pod + "metadata: {name: web, labels: ~, creationTimestamp: null, annotations: }\n"
              "spec: {containers: null, hostNetwork: ~}\nstatus:\n");
    EXPECT_EQ(got.key(), "default/web");
}

TEST(Decode, PodIpAloneCounts)
{
    EXPECT_THAT(texts(decoded<Pod>(web + "status: {podIP: 10.1.0.9}").addresses),
                ElementsAre("10.1.0.9"));
    EXPECT_TRUE(decoded<Pod>(web + "status: {podIP: \"\", podIPs: []}").addresses.empty());
}

TEST(Decode, PodIsFinishedByItsPhase)
{
    for (const char* phase : {"Succeeded", "Failed"})
        EXPECT_TRUE(decoded<Pod>(web + "status: {phase: " + phase + "}").finished) << phase;
    for (const char* phase : {"Pending", "Running", "Unknown"})
        EXPECT_FALSE(decoded<Pod>(web + "status: {phase: " + phase + "}").finished) << phase;
}

TEST(Decode, PodIsTerminatingOnceItIsBeingDeleted)
{
    const std::string head = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, deletionTimestamp: ";
    EXPECT_FALSE(decoded<Pod>(head + "null}").terminating);
    EXPECT_TRUE(decoded<Pod>(head + "\"2024-05-01T10:00:00Z\"}").terminating);
}

TEST(Decode, ProtocolOfAnotherTimeIsLeftOut)
{
    const auto got = decoded<Pod>(web + "spec: {containers: [{ports: [{name: q, containerPort: 1, "
                                        "protocol: QUIC}, {name: h, containerPort: 2}]}]}");
    EXPECT_THAT(port_texts(got.ports), ElementsAre("h:6:2"));
}

TEST(Decode, NamespaceGetsItsNameAsALabel)
{
    const std::string head = "apiVersion: v1\nkind: Namespace\n";
    EXPECT_THAT(decoded<Namespace>(head + "metadata: {name: shop, labels: {team: a}}").labels,
                ElementsAre(Pair("kubernetes.io/metadata.name", "shop"), Pair("team", "a")));
    EXPECT_THAT(decoded<Namespace>(
                    head + "metadata: {name: shop, labels: {kubernetes.io/metadata.name: shop}}")
                    .labels,
                ElementsAre(Pair("kubernetes.io/metadata.name", "shop")));
}

TEST(Decode, ServiceHasItsClusterAddressesAndPorts)
{
    const auto got = decoded<Service>(
        service + "spec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10, 'fd00:96::10'],\n"
                  "  ports: [{name: dns, port: 53, protocol: UDP, targetPort: dns}, {port: 80}]}");
    EXPECT_EQ(got.service_namespace + "/" + got.name, "default/web");
    EXPECT_THAT(texts(got.cluster_ips), ElementsAre("10.96.0.10", "fd00:96::10"));
    EXPECT_THAT(port_texts(got.ports), ElementsAre("dns:17:53", ":6:80"));
}

TEST(Decode, HeadlessServiceHasNoClusterAddress)
{
    for (const char* spec : {"{clusterIP: None, clusterIPs: [None]}", "{clusterIP: ''}",
                             "{type: ExternalName, externalName: example.org}"})
        EXPECT_TRUE(decoded<Service>(service + "spec: " + spec).cluster_ips.empty()) << spec;
}

TEST(Decode, EndpointSliceHasItsReadyAddresses)
{
    const auto got = decoded<EndpointSlice>(slice + R"(addressType: IPv4
ports:
- {name: http, port: 8080}
- {port: 53, protocol: UDP}
- {name: all, port: null}
endpoints:
- {addresses: [10.1.0.1]}
- {addresses: [10.1.0.2], conditions: {ready: true}}
- {addresses: [10.1.0.3], conditions: {ready: false, serving: true}}
- {addresses: [10.1.0.4, 10.1.0.1], conditions: {}}
)");
    EXPECT_EQ(got.service, "web");
    EXPECT_THAT(port_texts(got.ports), ElementsAre("http:6:8080", ":17:53"));
    EXPECT_THAT(texts(got.ready_addresses), ElementsAre("10.1.0.1", "10.1.0.2", "10.1.0.4"));
}

TEST(Decode, EndpointSliceOfNamesHasNoAddresses)
{
    EXPECT_TRUE(decoded<EndpointSlice>(
                    slice + "addressType: FQDN\nendpoints: [{addresses: [db.example.org]}]")
                    .ready_addresses.empty());
}

TEST(Decode, NodeHasItsAddressesButNoNames)
{
    const auto got = decoded<Node>(R"(apiVersion: v1
kind: Node
metadata: {name: node-a}
spec: {podCIDR: 10.1.0.0/24}
status:
  addresses:
  - {type: InternalIP, address: 192.0.2.1}
  - {type: InternalIP, address: "2001:db8::1"}
  - {type: ExternalIP, address: 198.51.100.1}
  - {type: Hostname, address: node-a}
)");
    EXPECT_THAT(texts(got.addresses), ElementsAre("192.0.2.1", "2001:db8::1", "198.51.100.1"));
}

TEST(Decode, OnlyTheFiveKindsAreInventory)
{
    EXPECT_TRUE(is_inventory_kind("v1", "Pod"));
    EXPECT_TRUE(is_inventory_kind("discovery.k8s.io/v1", "EndpointSlice"));
    EXPECT_FALSE(is_inventory_kind("discovery.k8s.io/v1beta1", "EndpointSlice"));
    EXPECT_FALSE(is_inventory_kind("apps/v1", "Pod"));
    EXPECT_FALSE(is_inventory_kind("v1", "ConfigMap"));
    EXPECT_FALSE(decode_inventory(yaml_document("apiVersion: v1\nkind: ConfigMap\n")));
}

struct Refusal {
    std::string text;
    uint32_t line;
    uint32_t column;
    std::string reason;
};

void PrintTo(const Refusal& refusal, std::ostream* out)
{
    *out << refusal.text;
}

class DecodeRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(DecodeRefuses, WithThePlaceAndTheReason)
{
    auto object = decode_inventory(yaml_document(GetParam().text));
    ASSERT_FALSE(object);
    ASSERT_EQ(object.error().size(), 1u);
    const FileError& error = object.error().front();
    EXPECT_EQ(error.origin, (Origin{"test.yaml", GetParam().line, GetParam().column}));
    EXPECT_THAT(error.reason, testing::HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, DecodeRefuses,
    testing::Values(
        Refusal{pod + "metadata: {name: web, labels: {on: true}}", 3, 36,
                "metadata.labels[\"on\"] must be a string, found boolean: write it in quotes, "
                "\"true\""},
        Refusal{pod + "metadata: {name: web, labels: {v: 1}}", 3, 35, "in quotes, \"1\""},
        Refusal{pod + "metadata: {name: web, labels: [a]}", 3, 31, "must be an object"},
        Refusal{pod + "metadata: {name: ''}", 1, 1, "has no metadata.name"},
        Refusal{pod + "metadata: [web]", 3, 11, "must be an object"},
        Refusal{web + "status: {podIP: 10.1.0.300}", 4, 17,
                "status.podIP \"10.1.0.300\" is not an IP address"},
        Refusal{web + "status: {podIPs: [{ip: 10.1.0.1}, {ip: here}]}", 4, 40,
                "status.podIPs[1].ip \"here\""},
        Refusal{web + "status: {podIPs: {ip: 10.1.0.1}}", 4, 18, "must be a list"},
        Refusal{web + "spec: {hostNetwork: 'true'}", 4, 21, "must be true or false"},
        Refusal{web + "spec: {containers: [{ports: [{name: h, containerPort: 70000}]}]}", 4, 55,
                "must lie between 1 and 65535"},
        Refusal{web + "spec: {containers: [{ports: [{name: h, containerPort: '80'}]}]}", 4, 55,
                "spec.containers[0].ports[0].containerPort must be a number"},
        Refusal{pod + "metadata: {name: a, annotations: {ebpfd.io/interface: a/b}}", 3, 55,
                "name of an interface"},
        Refusal{pod + "metadata: {name: a, annotations: {ebpfd.io/interface: 'a b'}}", 3, 55,
                "name of an interface"},
        Refusal{pod + "metadata: {name: a, annotations: {ebpfd.io/interface: ''}}", 3, 55,
                "name of an interface"},
        Refusal{pod + "metadata: {name: a, annotations: {ebpfd.io/interface: abcdefghijklmnop}}", 3,
                55, "name of an interface"},
        Refusal{slice + "addressType: IPv4\nendpoints: [{addresses: [x.org]}]", 5, 26,
                "endpoints[0].addresses[0] \"x.org\" is not an IP address"},
        Refusal{service + "spec: {clusterIP: 10.96.0.0/16}", 4, 19, "is not an IP address"}));

TEST(Decode, EveryFaultOfAnObjectIsTold)
{
    auto object = decode_inventory(yaml_document(
        pod + "metadata: {name: a, labels: {x: 1, y: false}}\nstatus: {podIP: nowhere}"));
    ASSERT_FALSE(object);
    EXPECT_EQ(object.error().size(), 3u);
}
