// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

// Policies of the datapath's stories, each about shop/web.
namespace policies {

inline const std::string none;

inline const std::string closed = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
)";

// db may connect to port 80 over TCP, UDP and SCTP; web may connect to db's port 5432.
inline const std::string narrow = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: narrow, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: db}}}]
    ports: [{port: 80}, {port: 80, protocol: UDP}, {port: 80, protocol: SCTP}]
  egress:
  - to: [{podSelector: {matchLabels: {app: db}}}]
    ports: [{port: 5432}, {port: 53, protocol: UDP}]
)";

// Only what comes in is isolated.
inline const std::string closed_ingress = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed-ingress, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
)";

// Only what goes out is isolated.
inline const std::string closed_egress = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed-egress, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
)";

// db may send anything, ICMP and other protocols included; web may send to db anything.
inline const std::string friends = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: friends, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: db}}}]
  egress:
  - to: [{podSelector: {matchLabels: {app: db}}}]
)";

} // namespace policies
