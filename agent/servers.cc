// SPDX-License-Identifier: Apache-2.0
#include "servers.h"

#include <cerrno>

namespace ebpfd {
namespace {

Result<std::unique_ptr<HttpServer>> listen_for_metrics(const Sources& sources,
                                                       const ListenAddress& where)
{
    auto server = HttpServer::on_port(where.address, where.port, metrics_routes(sources));
    if (!server && server.error().code == EADDRINUSE)
        server.error().message += "; give another --metrics-listen ADDR:PORT, or none";
    return server;
}

} // namespace

Result<Servers> Servers::listen(const Sources& sources)
{
    Servers servers;
    auto socket = HttpServer::on_socket(sources.config.socket_path(), socket_routes(sources),
                                        {.streams = sources.config.max_watchers});
    if (!socket)
        return std::unexpected(socket.error());
    servers.socket = std::move(*socket);
    if (!sources.config.metrics)
        return servers;
    auto metrics = listen_for_metrics(sources, *sources.config.metrics);
    if (!metrics)
        return fail("metrics", metrics.error());
    servers.metrics = std::move(*metrics);
    return servers;
}

void Servers::serve()
{
    socket->serve();
    if (metrics)
        metrics->serve();
}

} // namespace ebpfd
