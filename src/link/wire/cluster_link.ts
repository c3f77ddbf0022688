import type { Duplex } from "node:stream";
import type { ResolvConf } from "./resolv_conf.ts";

export interface CallLinkOptions {
  readonly signal?: AbortSignal;
}

/**
 * The cluster, as reached from the Shadow Pod. Lives across reconnects: a call while the link is
 * down waits for it until its deadline, then fails.
 */
export interface ClusterLink {
  /**
   * A TCP connection from the pod: `end()` half-closes, `destroy()` resets. `host` may be a name
   * resolved in the cluster.
   *
   * @throws {LinkError} `DIAL_REFUSED`, `DIAL_TIMEOUT`, `DIAL_NAME_UNKNOWN`, `DIAL_UNREACHABLE`,
   * `DIAL_FAILED`; `LINK_DOWN` where the link did not come back in time.
   * @throws {Cancelled} by `signal`; so do the others.
   */
  dial(
    host: string,
    port: number,
    options?: CallLinkOptions,
  ): Promise<Duplex>;
  /** A UDP socket in the pod, connected to one peer. Errors as {@link dial}. */
  openDatagrams(
    host: string,
    port: number,
    options?: CallLinkOptions,
  ): Promise<DatagramChannel>;
  /** One DNS message to the pod's resolver, and its answer as it came (id included). */
  resolve(query: Uint8Array, options?: CallLinkOptions): Promise<Uint8Array>;
  /** Whether the pod can reach the address: used to answer ICMP echo honestly. */
  isReachable(host: string, options?: CallLinkOptions): Promise<boolean>;
  /** Name servers, search domains and ndots of the pod's resolv.conf. */
  readonly resolver: ResolvConf;
}

export interface DatagramChannel {
  /** Best effort, as UDP is; false when it was dropped because the link is behind. */
  send(data: Uint8Array): boolean;
  onMessage: (data: Uint8Array) => void;
  /** `refused`: the peer answered with an ICMP port unreachable. */
  readonly closed: Promise<DatagramEnd>;
  close(): void;
}

export type DatagramEnd = "idle" | "refused" | "link" | "closed";
