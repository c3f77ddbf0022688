/** The cluster, as reached from the Shadow Pod. Lives across reconnects: a call while the link is down waits for it until its deadline, then fails. */
export interface ClusterLink {
  /** A TCP connection from the pod: `end()` half-closes, `destroy()` resets.
   *  Throws LinkError: DIAL_REFUSED, DIAL_TIMEOUT, DIAL_NAME_UNKNOWN, DIAL_UNREACHABLE, DIAL_FAILED. `host` may be a name resolved in the cluster. */
  dial(
    host: string,
    port: number,
    options?: { signal?: AbortSignal },
  ): Promise<import("node:stream").Duplex>;
  /** A UDP socket in the pod, connected to one peer. */
  openDatagrams(
    host: string,
    port: number,
    options?: { signal?: AbortSignal },
  ): Promise<DatagramChannel>;
  /** One DNS message to the pod's resolver, and its answer as it came (id included). */
  resolve(
    query: Uint8Array,
    options?: { signal?: AbortSignal },
  ): Promise<Uint8Array>;
  /** Whether the pod can reach the address: used to answer ICMP echo honestly. */
  isReachable(
    host: string,
    options?: { signal?: AbortSignal },
  ): Promise<boolean>;
  /** Name servers, search domains and ndots of the pod's resolv.conf. */
  readonly resolver: {
    readonly nameservers: readonly string[];
    readonly search: readonly string[];
    readonly ndots: number;
  };
}

export interface DatagramChannel {
  /** Best effort, as UDP is; false when it was dropped because the link is behind. */
  send(data: Uint8Array): boolean;
  onMessage: (data: Uint8Array) => void;
  /** `refused`: the peer answered with an ICMP port unreachable. */
  readonly closed: Promise<"idle" | "refused" | "link" | "closed">;
  close(): void;
}
