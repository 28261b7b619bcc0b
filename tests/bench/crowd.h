// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "lab/node.h"
#include "system/agent.h"

#include <memory>
#include <stdexcept>
#include <string>

namespace bench {

template <class T> T must(ebpfd::Result<T> result)
{
    if (!result)
        throw std::runtime_error(result.error().message);
    return std::move(*result);
}

// A node with many pods and a policy for each, and an agent that does not run yet. Pod N is the
// lab's "podN" and Kubernetes' "pod-N".
struct Crowd {
    static constexpr int pods = 100;

    Crowd();

    std::unique_ptr<lab::Node> node;
    system_test::Agent agent;
};

std::string pod_yaml(const std::string& v4, const std::string& v6, int number);
// Opens port 80, or 81, of one pod to the next one.
std::string policy_yaml(int number, bool open);

} // namespace bench
