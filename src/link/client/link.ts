import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { LinkError } from "../../core/errors.ts";
import type { ResolvConf } from "../wire/resolv_conf.ts";
import type { CallLinkOptions, DatagramChannel } from "../wire/cluster_link.ts";

/** Opens a connection on this machine for one that came from the pod. */
export type ConnectLocal = (
  origin: { host: string; port: number },
) => Promise<Socket>;

/** What an attached port may tell about its connections. */
export interface AttachOptions {
  /** A connection was handed over, or `connectLocal` refused it (then with the error). */
  readonly onConnection?: (
    origin: { host: string; port: number },
    error?: unknown,
  ) => void;
}

/** A connection to the agent, logged in, whatever is spoken on it. */
export interface Link extends AsyncDisposable {
  /**
   * Serves one of the agent's ports: each connection is handed to `connectLocal` first; a rejection
   * refuses the channel, so that the agent falls back. Resolves when the agent confirmed.
   *
   * @throws {LinkError} `ATTACH_REFUSED` if the agent has no such port, or the link's end.
   */
  attach(
    port: number,
    connectLocal: ConnectLocal,
    options?: AttachOptions,
  ): Promise<void>;
  /** New connections go to the fallback again; open ones stay. */
  detach(port: number): Promise<void>;
  /**
   * A TCP connection from inside the pod: `end()` closes one direction, `destroy()` resets.
   *
   * @throws {LinkError} `DIAL_REFUSED`, `DIAL_TIMEOUT`, `DIAL_NAME_UNKNOWN`, `DIAL_UNREACHABLE`,
   * `DIAL_FAILED`, or the link's end.
   */
  dial(host: string, port: number): Promise<Duplex>;
  /** A UDP socket in the pod, connected to one peer. Throws as {@link dial}. */
  openDatagrams(host: string, port: number): Promise<DatagramChannel>;
  /**
   * One DNS message to the pod's resolvers, and their answer: SERVFAIL where none of them answers.
   *
   * @throws {LinkError} `DNS_QUERY_INVALID`, `DNS_TIMEOUT`, or the link's end.
   */
  resolve(query: Uint8Array, options?: CallLinkOptions): Promise<Uint8Array>;
  /** What the pod's resolv.conf says. */
  resolver(): Promise<ResolvConf>;
  /** Whether the pod reaches a host: a TCP port of it accepts or refuses within 1.5 s. */
  isReachable(host: string): Promise<boolean>;
  /** Detaches every port, lets open connections finish for up to `graceMs` (default 0), and ends. */
  close(options?: { graceMs?: number }): Promise<void>;
  /** {@link close} without grace. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Settles when the connection is gone: `undefined` after `close()`, else the reason. */
  readonly closed: Promise<LinkError | undefined>;
  /** When something came from the agent, in unix milliseconds; a quarter of a second late at most. */
  readonly heardAt: number;
  /** Open connections, handed over and dialled. */
  readonly connections: number;
  /** Calls back on every connection that the agent hands over, before `connectLocal`. */
  onForwarded(listener: ForwardedListener): Disposable;
}

export type ForwardedListener = (event: {
  readonly port: number;
  readonly origin: { host: string; port: number };
  /** Settles with what `connectLocal` did: `undefined`, or its error. */
  readonly outcome: Promise<unknown>;
}) => void;
