// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "observe/interest.h"
#include "observe/record.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ebpfd {

// Which records a reader wants. Conditions of one name are alternatives, names add up; a name
// with "not_" in front leaves out what any of its conditions matches.
class RecordFilter {
public:
    using Conditions = std::multimap<std::string, std::string>;

    // Names with two sides, each with from_, to_ or neither (either side) in front:
    //   pod (ns/name), namespace, label (KEY or KEY=VALUE, several with commas: all of them),
    //   ip (an address or a block), port.
    // Other names: protocol, verdict, reason, type, policy (ns/name), direction.
    // An unknown name, or a value that can match nothing, is an error.
    static Result<RecordFilter> parse(const Conditions& conditions);

    bool matches(const AttributedEvent& record) const;
    // The conditions in their order, as "from_pod=shop/web not_port=53"; empty: everything.
    const std::string& text() const { return text_; }
    const Interest& interest() const { return interest_; }

private:
    using Test = std::function<bool(const AttributedEvent&, const Parties&)>;
    struct Group {
        bool wanted = true; // false: none of the tests may hold
        std::vector<Test> tests;
    };
    friend struct FilterParser;

    std::vector<Group> groups_;
    std::string text_;
    Interest interest_;
};

} // namespace ebpfd
