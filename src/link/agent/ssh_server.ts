import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf, UsageError } from "../../core/errors.ts";
import { SshPodEnd } from "../ssh/ssh_pod_end.ts";
import { withFirstWindows } from "../wire/first_windows.ts";
import { PacketStream } from "../wire/packet_stream.ts";
import { keepAccepting } from "../wire/keep_accepting.ts";
import {
  type AuthContext,
  type Connection,
  loadSsh2,
  SSH_ALGORITHMS,
} from "../wire/ssh2.ts";
import type { AgentConfig } from "./agent_config.ts";
import type { AgentKeys } from "./agent_keys.ts";
import { ClientSession } from "./client_session.ts";
import { LinkServices } from "./link_services.ts";
import { logLine } from "./log_line.ts";
import type { PortTable } from "./port_table.ts";
import { WaitingRoom } from "./waiting_room.ts";

/** A connection that has not shown its key by then is dropped. */
const LOGIN_TIMEOUT_MS = 10_000;

/** What the SSH server works with. */
export interface SshServerOptions {
  readonly config: Omit<AgentConfig, "ports" | "ready">;
  readonly keys: AgentKeys;
  readonly ports: PortTable;
}

/** Takes a connection over, for SSH. Those that come by one way take the places of those of the other last. */
export type ServeSsh = (socket: Duplex, way: "proxy" | "loopback") => void;

/**
 * Serves SSH on the pod's loopback, where only a port-forward reaches it.
 *
 * @returns The same for connections that come in another way.
 */
export async function startSshServer(
  options: SshServerOptions,
): Promise<ServeSsh> {
  const { config, keys, ports } = options;
  const { Server, utils } = await loadSsh2();
  const authorized = utils.parseKey(keys.authorizedKey);
  if (authorized instanceof Error || authorized.type !== "ssh-ed25519") {
    throw new UsageError(
      "AGENT_KEY_INVALID",
      "Cannot parse the authorised key",
    );
  }
  const services = new LinkServices(config);
  const { serverHostKey: _fromTheKey, ...algorithms } = SSH_ALGORITHMS;
  const ssh = new Server({
    hostKeys: [keys.hostKey],
    algorithms,
    ident: "ktctl",
  });
  ssh.on("connection", (connection) => {
    const packets = (connection as unknown as { _sock: PacketStream })._sock;
    serve(connection, packets);
  });

  function serve(connection: Connection, packets: PacketStream): void {
    let name = "";
    connection.on("error", (error) => logLine(`client: ${messageOf(error)}`));
    connection.on("authentication", (context) => {
      if (!isAuthorized(context, authorized as ParsedKey)) {
        return context.reject(["publickey"]);
      }
      name = context.username;
      context.accept();
    });
    connection.on("ready", () => {
      room.leave(packets);
      withFirstWindows(connection);
      logLine("client connected");
      connection.once("close", () => logLine("client disconnected"));
      const end = new SshPodEnd(connection, packets);
      new ClientSession(end, { name, ports, services }).watch(
        config.clientTimeoutMs,
      );
    });
  }

  const room = new WaitingRoom({
    seats: 64,
    seatsOfPeer: 32,
    patienceMs: LOGIN_TIMEOUT_MS,
  });
  const serveSsh: ServeSsh = (socket, way) => {
    const packets = new PacketStream(socket);
    packets.on("error", () => {}); // "close" follows
    room.enter(packets, way);
    ssh.injectSocket(packets as unknown as Socket);
  };
  const server = createServer(
    { allowHalfOpen: true },
    (socket) => serveSsh(socket, "loopback"),
  );
  keepAccepting(server);
  server.listen(config.sshPort, "127.0.0.1");
  await once(server, "listening");
  server.on("error", (error) => logLine(`ssh: ${messageOf(error)}`));
  return serveSsh;
}

interface ParsedKey {
  getPublicSSH(): Uint8Array;
  verify(data: Uint8Array, signature: Uint8Array, algorithm?: string): unknown;
}

/** Exactly the one key of this session; the comparison takes the same time for any other. */
function isAuthorized(context: AuthContext, authorized: ParsedKey): boolean {
  if (context.method !== "publickey") return false;
  const expected = authorized.getPublicSSH();
  const offered = context.key.data;
  if (
    context.key.algo !== "ssh-ed25519" || offered.length !== expected.length
  ) return false;
  if (!timingSafeEqual(offered, expected)) return false;
  // Without a signature the client only asks whether it may use this key.
  if (!context.signature || !context.blob) return true;
  return authorized.verify(context.blob, context.signature) === true;
}
