/** The connections to the API server: TLS as the kubeconfig wants it, straight or through a proxy. */
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import type { Authorization } from "../credentials/credentials.ts";
import type { KubeCluster } from "../kubeconfig/kube_target.ts";
import { openTunnel, proxyFor } from "./proxy.ts";

/**
 * Idle connections are closed after this time. Shorter than any load balancer's own limit, so that
 * a write is not sent on a connection that the other side has just given up.
 */
const IDLE_MS = 20_000;
/** How long a TCP connection may take to come about. */
const CONNECT_MS = 30_000;
/** After this much quiet the operating system asks whether the other side is still there. */
const KEEP_ALIVE_MS = 15_000;

export type KubeAgent = http.Agent | https.Agent;

export interface KubeAgentOptions {
  readonly cluster: KubeCluster;
  /** PEM of the cluster's certificate authority; without it the system's are trusted. */
  readonly ca?: string | undefined;
  readonly authorization: Authorization;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets the IP address of each connection's other end. */
  readonly onPeer?: (address: string) => void;
}

/** @throws {UnsupportedError} `PROXY_UNSUPPORTED`. */
export function makeKubeAgent(options: KubeAgentOptions): KubeAgent {
  const { cluster, ca, authorization } = options;
  const server = new URL(cluster.server);
  const proxy = proxyFor(server, cluster, options.env);
  const dial: Dial = async ({ host, port }) => {
    const socket = proxy === undefined
      ? await dialDirectly(host, port)
      : await openTunnel(proxy, { host, port });
    if (socket.remoteAddress) options.onPeer?.(socket.remoteAddress);
    return socket;
  };
  const shared = { keepAlive: true, timeout: IDLE_MS };
  if (server.protocol === "http:") return new PlainAgent(shared, dial);
  return new SecureAgent({
    ...shared,
    ...(ca === undefined ? {} : { ca }),
    ...(authorization.cert ? { cert: authorization.cert as string } : {}),
    ...(authorization.key ? { key: authorization.key as string } : {}),
    ...(cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}),
    ...(cluster.skipTlsVerify ? { rejectUnauthorized: false } : {}),
  }, dial);
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

class SecureAgent extends https.Agent {
  readonly #dial: Dial;
  constructor(options: https.AgentOptions, dial: Dial) {
    super(options);
    this.#dial = dial;
  }
  override createConnection(options: ConnectOptions, done?: Connected) {
    this.#dial(options).then((raw) => {
      const socket = tls.connect({ ...options, socket: raw });
      transports.set(socket, raw);
      // A certificate that does not fit its key fails before the request listens, which still hears
      // of it, but for Deno nobody has: it would end the program.
      socket.on("error", () => {});
      done?.(null, socket);
    }, (error) => done?.(error, undefined as never));
    return undefined;
  }
}

class PlainAgent extends http.Agent {
  readonly #dial: Dial;
  constructor(options: http.AgentOptions, dial: Dial) {
    super(options);
    this.#dial = dial;
  }
  override createConnection(options: ConnectOptions, done?: Connected) {
    this.#dial(options).then(
      (raw) => done?.(null, raw),
      (error) => done?.(error, undefined as never),
    );
    return undefined;
  }
}

function dialDirectly(host: string, port: number): Promise<net.Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const socket = net.connect({ host, port });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  // The caller's deadline does not reach here; an attempt nobody waits for must not stay.
  const timer = setTimeout(() => {
    socket.destroy(
      Object.assign(new Deno.errors.TimedOut(), { code: "ETIMEDOUT" }),
    );
  }, CONNECT_MS);
  socket.once("error", reject);
  socket.once("close", () => clearTimeout(timer));
  socket.once("connect", () => {
    clearTimeout(timer);
    socket.removeListener("error", reject);
    resolve(socket);
  });
  return promise;
}
