// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "api/server.h"
#include "routes.h"

#include <memory>

namespace ebpfd {

// What answers questions from outside: the unix socket, and the metrics if they are wanted.
struct Servers {
    std::unique_ptr<HttpServer> socket;
    std::unique_ptr<HttpServer> metrics;

    // Clients may connect; they wait for their answers until serve().
    static Result<Servers> listen(const Sources& sources);
    void serve();
};

} // namespace ebpfd
