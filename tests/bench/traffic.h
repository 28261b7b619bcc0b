// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>

struct packets;

namespace bench {

// packets.bpf.c, loaded: an empty program, and one that makes each packet one of so many flows
// (0: always a new one) and has it judged by the empty program, or by another.
class Traffic {
public:
    explicit Traffic(uint32_t flows);

    void judge_by(int program) const;
    int empty() const;
    int shuffle() const;

private:
    struct Destroy {
        void operator()(packets* programs) const;
    };
    std::unique_ptr<packets, Destroy> programs_;
};

} // namespace bench
