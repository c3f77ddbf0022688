import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { messageOf } from "../../core/errors.ts";
import { keepAccepting } from "../wire/keep_accepting.ts";
import type { AgentConfig } from "./agent_config.ts";
import type { LinkUpgrade } from "./link_upgrade.ts";
import { listenEverywhere } from "./listen_everywhere.ts";
import { logLine } from "./log_line.ts";
import type { PortTable } from "./port_table.ts";
import { WaitingRoom } from "./waiting_room.ts";

/** More than the API server's proxy adds to what a client sends. */
const MAX_HEADER_BYTES = 8 * 1024;
/** A request and its answer take milliseconds. */
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * `GET /ready` for the kubelet (200 or 503), `GET /status` for ktctl (AgentStatus as JSON), and the
 * request by which clients that come through the API server's proxy change to SSH. All the cluster
 * reaches this port: what one connection may take, and how many there may be, is bounded.
 */
export async function startStatusServer(
  config: AgentConfig,
  ports: PortTable,
  upgrade: LinkUpgrade,
): Promise<void> {
  const http = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES },
    (request, response) => {
      response.setHeader("connection", "close");
      if (request.url === "/ready") {
        response.writeHead(ports.isReady(config.ready) ? 200 : 503).end();
      } else if (request.url === "/status") {
        response.setHeader("content-type", "application/json").end(
          JSON.stringify(ports.status()),
        );
      } else {
        response.writeHead(404).end();
      }
    },
  );
  const room = new WaitingRoom({
    seats: 256,
    seatsOfPeer: 64,
    patienceMs: REQUEST_TIMEOUT_MS,
  });
  http.on("upgrade", (request, socket, head) => {
    if (upgrade.accept(request, socket, head)) room.leave(socket);
  });
  // http's own limits (2.9.6) do not hold: its times are not kept, and who is too many is not let in
  const server = createTcpServer(
    { allowHalfOpen: true, noDelay: true },
    (socket) => {
      socket.on("error", () => {}); // "close" follows
      room.enter(socket, socket.remoteAddress ?? "");
      http.emit("connection", socket);
    },
  );
  keepAccepting(server);
  await listenEverywhere(server, config.statusPort);
  server.on("error", (error) => logLine(`status: ${messageOf(error)}`));
}
