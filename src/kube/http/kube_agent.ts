/** The connections to the API server: TLS as the kubeconfig wants it, straight or through a proxy. */
import * as http from "node:http";
import * as https from "node:https";
import type * as net from "node:net";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import type { Authorization } from "../credentials/credentials.ts";
import type { KubeCluster } from "../kubeconfig/kube_target.ts";
import { dialDirectly } from "./dial_directly.ts";
import { openTunnel, proxyFor } from "./proxy.ts";

/**
 * Idle connections are closed after this time. Shorter than any load balancer's own limit, so that
 * a write is not sent on a connection that the other side has just given up.
 */
const IDLE_MS = 20_000;

export type KubeAgent = http.Agent | https.Agent;

export interface KubeAgentOptions {
  readonly cluster: KubeCluster;
  /** PEM of the cluster's certificate authority; without it the system's are trusted. */
  readonly ca?: string | undefined;
  readonly authorization: Authorization;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets each connection, and the one of TCP that carries it. */
  readonly onConnection?: (connection: Duplex, carrier: net.Socket) => void;
}

/** @throws {UnsupportedError} `PROXY_UNSUPPORTED`. */
export function makeKubeAgent(options: KubeAgentOptions): KubeAgent {
  const { cluster, ca, authorization, onConnection = () => {} } = options;
  const server = new URL(cluster.server);
  const proxy = proxyFor(server, cluster, options.env);
  const dial: Dial = ({ host, port }) =>
    proxy === undefined
      ? dialDirectly(host, port)
      : openTunnel(proxy, { host, port });
  const shared = { keepAlive: true, timeout: IDLE_MS, dial, onConnection };
  if (server.protocol === "http:") return new PlainAgent(shared);
  return new SecureAgent({
    ...shared,
    ...(ca === undefined ? {} : { ca }),
    ...(authorization.cert ? { cert: authorization.cert as string } : {}),
    ...(authorization.key ? { key: authorization.key as string } : {}),
    ...(cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}),
    ...(cluster.skipTlsVerify ? { rejectUnauthorized: false } : {}),
  });
}

/** Ends the connections on which no request is. */
export function endIdle(agent: KubeAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

/**
 * Stops or resumes the TCP connection under a TLS socket.
 *
 * On Deno 2.9.6 a paused TLSSocket goes on reading from the network into memory without bound; only
 * its TCP handle's own reading can be stopped. The test "a slow reader holds the pod back" tells
 * when `socket.pause()` is enough.
 */
export function holdTransport(socket: object, held: boolean): void {
  const raw = transports.get(socket) as
    | { _handle?: { readStop?(): void; readStart?(): void } | null }
    | undefined;
  if (held) raw?._handle?.readStop?.();
  else raw?._handle?.readStart?.();
}

/** The TCP connection of each TLS socket made here. */
const transports = new WeakMap<object, net.Socket>();

type Dial = (target: { host: string; port: number }) => Promise<net.Socket>;
type Connected = (error: Error | null, socket: Duplex) => void;
// deno-lint-ignore no-explicit-any -- node's typings leave host and port out of what it passes here
type ConnectOptions = any;

interface Dialling {
  readonly dial: Dial;
  readonly onConnection: NonNullable<KubeAgentOptions["onConnection"]>;
}

class SecureAgent extends https.Agent {
  readonly #its: Dialling;
  constructor(
    { dial, onConnection, ...options }: https.AgentOptions & Dialling,
  ) {
    super(options);
    this.#its = { dial, onConnection };
  }
  override createConnection(options: ConnectOptions, done?: Connected) {
    this.#its.dial(options).then((raw) => {
      const socket = tls.connect({ ...options, socket: raw });
      transports.set(socket, raw);
      // A certificate that does not fit its key fails before the request listens, which still hears
      // of it, but for Deno nobody has: it would end the program.
      socket.on("error", () => {});
      this.#its.onConnection(socket, raw);
      done?.(null, socket);
    }, (error) => done?.(error, undefined as never));
    return undefined;
  }
}

class PlainAgent extends http.Agent {
  readonly #its: Dialling;
  constructor(
    { dial, onConnection, ...options }: http.AgentOptions & Dialling,
  ) {
    super(options);
    this.#its = { dial, onConnection };
  }
  override createConnection(options: ConnectOptions, done?: Connected) {
    this.#its.dial(options).then((raw) => {
      this.#its.onConnection(raw, raw);
      done?.(null, raw);
    }, (error) => done?.(error, undefined as never));
    return undefined;
  }
}
