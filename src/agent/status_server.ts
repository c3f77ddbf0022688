import { createServer } from "node:http";
import { messageOf } from "../core/errors.ts";
import type { AgentConfig } from "./agent_config.ts";
import type { LinkDoor } from "./link_door.ts";
import { listenEverywhere } from "./listen_everywhere.ts";
import { logLine } from "./log_line.ts";
import type { PortTable } from "./port_table.ts";

/**
 * `GET /ready` for the kubelet (200 or 503), `GET /status` for ktctl (AgentStatus as JSON), and the
 * door for clients that come through the API server's proxy.
 */
export async function startStatusServer(
  config: AgentConfig,
  ports: PortTable,
  door: LinkDoor,
): Promise<void> {
  const server = createServer((request, response) => {
    if (request.url === "/ready") {
      response.writeHead(ports.isReady(config.ready) ? 200 : 503).end();
    } else if (request.url === "/status") {
      response.setHeader("content-type", "application/json").end(
        JSON.stringify(ports.status()),
      );
    } else {
      response.writeHead(404).end();
    }
  });
  server.on(
    "upgrade",
    (request, socket, head) => door.knock(request, socket, head),
  );
  await listenEverywhere(server, config.statusPort);
  server.on("error", (error) => logLine(`status: ${messageOf(error)}`));
}
