import { createServer } from "node:http";
import { messageOf } from "../core/errors.ts";
import type { AgentConfig } from "./agent_config.ts";
import { listenEverywhere } from "./listen_everywhere.ts";
import { logLine } from "./log_line.ts";
import type { PortTable } from "./port_table.ts";

/** `GET /ready` for the kubelet (200 or 503) and `GET /status` for ktctl (AgentStatus as JSON). */
export async function startStatusServer(
  config: AgentConfig,
  ports: PortTable,
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
  await listenEverywhere(server, config.statusPort);
  server.on("error", (error) => logLine(`status: ${messageOf(error)}`));
}
