import { once } from "node:events";
import { createServer } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf } from "../../core/errors.ts";
import { keepAccepting } from "../wire/keep_accepting.ts";
import type { LinkProtocol } from "../wire/link_protocol.ts";
import type { AgentConfig } from "./agent_config.ts";
import type { AgentKeys } from "./agent_keys.ts";
import { ClientSession } from "./client_session.ts";
import { LinkServices } from "./link_services.ts";
import { logLine } from "./log_line.ts";
import type { PortTable } from "./port_table.ts";
import type { ServerOptions } from "./server_options.ts";
import { startTlsServer } from "./tls_server.ts";
import { WaitingRoom } from "./waiting_room.ts";

/** A connection that has not shown its key by then is dropped. */
const LOGIN_TIMEOUT_MS = 10_000;
/** The first byte of a TLS connection; SSH begins with letters. */
const TLS_HANDSHAKE = 0x16;

/** What the link server works with. */
export interface LinkServerOptions {
  readonly config: Omit<AgentConfig, "ports" | "ready">;
  readonly keys: AgentKeys;
  readonly ports: PortTable;
}

/** Takes a connection over. Those that come by one way take the places of those of the other last. */
export type ServeLink = (
  carrier: Duplex,
  { protocol, way }: { protocol: LinkProtocol; way: "proxy" | "loopback" },
) => void;

/**
 * Serves links on the pod's loopback, where only a port-forward reaches them.
 *
 * @returns The same for connections that come in another way.
 */
export async function startLinkServer(
  { config, keys, ports }: LinkServerOptions,
): Promise<ServeLink> {
  const services = new LinkServices(config);
  const room = new WaitingRoom({
    seats: 64,
    seatsOfPeer: 32,
    patienceMs: LOGIN_TIMEOUT_MS,
  });
  const options: ServerOptions = {
    loginTimeoutMs: LOGIN_TIMEOUT_MS,
    onLogin(carrier, end, name) {
      room.leave(carrier);
      logLine("client connected");
      void end.closed.then(() => logLine("client disconnected"));
      new ClientSession(end, { name, ports, services }).watch(
        config.clientTimeoutMs,
      );
    },
  };
  const serveTls = startTlsServer(keys, options);
  /** Loading SSH costs 100 ms, and most clients do not ask for it. */
  let ssh: Promise<(carrier: Duplex) => void> | undefined;
  const startSsh = async () => {
    const { startSshServer } = await import("./ssh_server.ts");
    return await startSshServer(keys, options);
  };
  const serve = (carrier: Duplex, protocol: LinkProtocol) => {
    if (protocol === "tls") return serveTls(carrier);
    (ssh ??= startSsh()).then((serveSsh) => serveSsh(carrier), (error) => {
      ssh = undefined;
      logLine(`client: ${messageOf(error)}`);
      carrier.destroy();
    });
  };
  const enter = (carrier: Duplex, way: "proxy" | "loopback") => {
    carrier.on("error", () => {}); // "close" follows
    room.enter(carrier, way);
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    enter(socket, "loopback");
    // clients speak first, in both protocols
    socket.once("data", (chunk) => {
      socket.pause().unshift(chunk);
      serve(socket, chunk[0] === TLS_HANDSHAKE ? "tls" : "ssh");
    });
  });
  keepAccepting(server);
  server.listen(config.sshPort, "127.0.0.1");
  await once(server, "listening");
  server.on("error", (error) => logLine(`link: ${messageOf(error)}`));
  return (carrier, { protocol, way }) => {
    enter(carrier, way);
    serve(carrier, protocol);
  };
}
