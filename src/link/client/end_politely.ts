import type { Duplex } from "node:stream";

/** Ends a connection that proved what it was opened for. A reset would look like a fault in the other side's log. */
export function endPolitely(stream: Duplex): void {
  const timer = setTimeout(() => stream.destroy(), 1000);
  stream.once("close", () => clearTimeout(timer)).on("error", () => {});
  stream.end();
  stream.resume();
}
