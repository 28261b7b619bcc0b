// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "api/listener.h"
#include "api/waiting_room.h"

#include <memory>
#include <set>
#include <string>

namespace ebpfd {

// Serves a port that anybody may connect to. A client costs a thread only once its request is
// there, and while it takes the answer, for answer_patience at most. Prompt paths, such as health
// probes, have a thread of their own: their answers fit into any socket's buffer, so that none
// waits for another client.
class PortListener final : public Listener {
public:
    explicit PortListener(std::set<std::string> prompt_paths);

private:
    class Lanes;
    // httplib's hook for a client that was accepted; in the thread that accepts.
    bool process_and_close_socket(int client) override;
    void answer(const Fd& client, std::string request);

    const std::set<std::string> prompt_paths_;
    Lanes* lanes_ = nullptr; // httplib's, while it listens
};

} // namespace ebpfd
