import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf, UsageError } from "../../core/errors.ts";
import { SshPodEnd } from "../ssh/ssh_pod_end.ts";
import { withFirstWindows } from "../ssh/first_windows.ts";
import { PacketStream } from "../ssh/packet_stream.ts";
import {
  type AuthContext,
  type Connection,
  loadSsh2,
  SSH_ALGORITHMS,
} from "../ssh/ssh2.ts";
import type { AgentKeys } from "./agent_keys.ts";
import type { ServerOptions } from "./server_options.ts";
import { logLine } from "./log_line.ts";

/** Speaks SSH with connections that are given to it. */
export async function startSshServer(
  keys: AgentKeys,
  { onLogin }: ServerOptions,
): Promise<(carrier: Duplex) => void> {
  const { Server, utils } = await loadSsh2();
  const authorized = utils.parseKey(keys.authorizedKey);
  if (authorized instanceof Error || authorized.type !== "ssh-ed25519") {
    throw new UsageError(
      "AGENT_KEY_INVALID",
      "Cannot parse the authorised key",
    );
  }
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
      withFirstWindows(connection);
      onLogin(packets.carrier, new SshPodEnd(connection, packets), name);
    });
  }

  return (carrier) => {
    const packets = new PacketStream(carrier);
    packets.on("error", () => {}); // "close" follows
    ssh.injectSocket(packets as unknown as Socket);
  };
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
