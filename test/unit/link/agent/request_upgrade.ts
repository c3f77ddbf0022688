// Asks the agent to change the protocol, as the API server's proxy passes that on.
import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import {
  LINK_PATH,
  LINK_TOKEN_HEADER,
  UPGRADE_NAMES,
} from "../../../../src/link/wire/link_request.ts";
import type { AgentProcess } from "./agent_process.ts";

interface Knock {
  path?: string;
  protocol?: string;
  token?: string | undefined;
}

/** Resolves to the connection, or to the status of the refusal. */
export function requestUpgrade(
  agent: AgentProcess,
  { path = LINK_PATH, protocol = UPGRADE_NAMES.ssh, token }: Knock,
): Promise<Duplex | number> {
  const { promise, resolve, reject } = Promise.withResolvers<
    Duplex | number
  >();
  const asking = request({
    host: "127.0.0.1",
    port: agent.config.statusPort,
    path,
    headers: {
      Connection: "Upgrade",
      Upgrade: protocol,
      ...(token === undefined ? {} : { [LINK_TOKEN_HEADER]: token }),
    },
  });
  asking.once("error", reject);
  asking.once("upgrade", (_response, socket, head) => {
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
  });
  asking.once("response", (response: IncomingMessage) => {
    response.resume();
    resolve(response.statusCode!);
  });
  asking.end();
  return promise;
}
