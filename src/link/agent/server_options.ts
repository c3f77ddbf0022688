import type { Duplex } from "node:stream";
import type { PodEnd } from "../wire/pod_end.ts";

/** What a server of one protocol works with. */
export interface ServerOptions {
  readonly loginTimeoutMs: number;
  /** Told of each client that has shown its key, and as whom. */
  readonly onLogin: (carrier: Duplex, end: PodEnd, name: string) => void;
}
