// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "model/plan.h"
#include "model/world.h"

#include <memory>

namespace ebpfd {

// World to Plan: a pure function, no kernel, no clock, no I/O. Fails, with what is needed
// and what there is, if a rule set would need more than RULES_MAX rules.
Result<Plan> compile(const World& world);

// The same function, for one World after another: what a World has in common with the last one
// is not compiled again, and its parts of the Plan are the same objects as before. Objects are
// told apart by their addresses: whoever changes one makes a new one.
class Compiler {
public:
    Compiler();
    ~Compiler();
    Compiler(Compiler&&) noexcept;
    Compiler& operator=(Compiler&&) noexcept;

    Result<Plan> compile(const World& world);

private:
    class State;
    std::unique_ptr<State> state_; // nullptr: the next World is compiled from scratch
};

} // namespace ebpfd
