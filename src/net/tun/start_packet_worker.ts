import { embeddedText } from "../../core/embedded_text.ts";

/** Set at the top of `dist/ktctl.js` by scripts/bundle.ts: the Worker as one text. */
export const EMBEDDED_PACKET_WORKER = "__KTCTL_PACKET_WORKER__";

/** Not a literal: bundlers would take it for a file of theirs. */
const SOURCE = ["./packet_worker", "ts"].join(".");

/** From the text that this program carries, or, in a checkout, from its source. */
export function startPacketWorker(): Worker {
  const text = embeddedText(EMBEDDED_PACKET_WORKER);
  const options = { type: "module", name: "packets" } as const;
  if (text === undefined) {
    return new Worker(new URL(SOURCE, import.meta.url), options);
  }
  const url = URL.createObjectURL(
    new Blob([text], { type: "text/javascript" }),
  );
  const worker = new Worker(url, options);
  // it has loaded when it says anything
  worker.addEventListener("message", () => URL.revokeObjectURL(url), {
    once: true,
  });
  return worker;
}
