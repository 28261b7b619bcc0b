// SPDX-License-Identifier: Apache-2.0
// Up to three frames through the loaded programs, by BPF_PROG_TEST_RUN, and through a naive reader
// of the same bytes: verdict and reason agree. libFuzzer sees what the naive side covers, which
// branches where the programs do. Needs root.
#include "datapath/bench.h"
#include "fuzz/frames.h"
#include "fuzz/target.h"
#include "model/names.h"
#include "reference/connections.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace ebpfd;

namespace fuzz {
namespace {

// Both directions are isolated, with ports for some peers and none for others.
const std::string policy = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: db}}}]
    ports: [{port: 80}, {port: 80, protocol: UDP}, {port: 80, protocol: SCTP}]
  - from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: api}}}]
  egress:
  - to: [{podSelector: {matchLabels: {app: db}}}]
    ports: [{port: 5432}, {port: 53, protocol: UDP}]
  - to: [{namespaceSelector: {}, podSelector: {matchLabels: {app: api}}}]
)";

bench::Bench& datapath()
{
    static const auto loaded = [] {
        testing::GTEST_FLAG(throw_on_failure) = true;
        auto made = std::make_unique<bench::Bench>();
        made->enforce(policy);
        return made;
    }();
    return *loaded;
}

std::string describe(bool allow, reason why)
{
    return fmt::format("{} ({})", allow ? "allow" : "deny", reason_name(why));
}

} // namespace

void try_input(std::string_view input)
{
    bench::Bench& bench = datapath();
    bench.forget_all();
    reference::Connections connections(bench.world(), bench.web_ifindex());
    for (const auto& [dir, bytes] : frames_of(input)) {
        const reference::Ruling expected = connections.judge(bytes, dir);
        const bench::Judged judged =
            dir == DIRECTION_INGRESS ? bench.to_web(bytes) : bench.from_web(bytes);
        expect_equal(describe(expected.allow, expected.why),
                     describe(!is_refused(judged.outcome), judged.why),
                     fmt::format("the reference, then the programs: {} {}", direction_name(dir),
                                 lab::describe(bytes)));
    }
}

} // namespace fuzz
