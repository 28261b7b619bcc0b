// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "enforcer.h"
#include "model/world.h"

#include <string>

namespace ebpfd {

// What is refused must not keep policy from pods that come meanwhile: enforces the world, or less
// and less of it, and leaves in it what is in force then. last: what was so far; nullptr: nothing
// of this agent's. error: why not all of it, or empty.
Result<Enforcer::Outcome> enforce_what_fits(Enforcer& enforcer, World& world, const World* last,
                                            std::string& error);

} // namespace ebpfd
