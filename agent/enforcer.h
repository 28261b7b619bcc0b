// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/datapath.h"
#include "name_book.h"
#include "observe/metrics.h"
#include "observe/observer.h"
#include "policy/compile.h"
#include "totals.h"

#include <future>
#include <string>
#include <vector>

namespace ebpfd {

// World to packets: compiles, applies, and gives the observer the names that go with it.
class Enforcer {
public:
    Enforcer(Datapath& datapath, std::string bpffs, Observer& observer, Totals& totals);

    // Names what an earlier agent left in force, for records from before the first enforce().
    void adopt_names(const NameBook::Endpoints& endpoints);

    struct Outcome {
        ApplyReport report;
        ApplyTimes times;                  // from compiling on
        std::vector<std::string> warnings; // of compiling
        size_t endpoints = 0;
        size_t rulesets = 0;
        size_t identities = 0;
    };
    // On an error the previous policy, and its names, stay in force.
    Result<Outcome> enforce(const World& world);
    // Instead, for a start at which enforce() fails: what was adopted goes on, and pods that it
    // does not know are closed. Returns what could not be done, one sentence each.
    std::vector<std::string> close_newcomers(const World& world);
    // Waits for what enforce() started aside: the datapath may be used again.
    void finish();

private:
    Result<Outcome> compile_and_apply(const World& world);
    void settle_aside();
    void settle_now();
    void count_what_has_gone();
    void publish_names(const World& world, const Plan& plan);

    Datapath& datapath_;
    const std::string bpffs_;
    Observer& observer_;
    Totals& totals_;
    Compiler compiler_;
    NameBook book_;
    // The last change is settled while the main loop reads and compiles the next one.
    std::future<void> settling_;
};

} // namespace ebpfd
