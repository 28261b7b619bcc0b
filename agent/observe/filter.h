// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "observe/record.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ebpfd {

// Which records a reader wants. Conditions of one name are alternatives, names add up.
class RecordFilter {
public:
    // Names: pod, from_pod, to_pod (ns/name), ip, from_ip, to_ip, port, protocol, verdict,
    // reason, type, policy (ns/name), direction, namespace. An unknown name, or a value that
    // can match nothing, is an error.
    static Result<RecordFilter> parse(const std::multimap<std::string, std::string>& conditions);

    bool matches(const AttributedEvent& record) const;

private:
    using Test = std::function<bool(const AttributedEvent&)>;
    static Result<Test> parse_one(const std::string& name, const std::string& value);

    std::vector<std::vector<Test>> groups_; // one of each group has to hold
};

} // namespace ebpfd
