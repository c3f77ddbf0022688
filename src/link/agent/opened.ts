import type { Duplex } from "node:stream";

/** What a channel will be served from. Disposed of only where it comes to no channel. */
export interface Opened extends Disposable {
  /** Settles nothing: from here on the two ends live and die together. */
  serve(stream: Duplex): void;
}
