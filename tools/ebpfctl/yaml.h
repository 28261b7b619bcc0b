// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/report.h"

namespace ebpfd::ctl {

// The value as YAML, without a last newline. Every string is quoted and in ASCII.
std::string yaml_text(const Json& value);

} // namespace ebpfd::ctl
