import type { Duplex } from "node:stream";

/**
 * All that comes until the other side ends, as text, or until it has ended with `end`: through a
 * port-forward the end of a stream comes a second late. Rejects with `AbortError` on the signal.
 */
export async function readAll(
  stream: Duplex,
  signal: AbortSignal,
  end?: string,
): Promise<string> {
  const abort = () =>
    stream.destroy(new DOMException("timed out", "AbortError"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (end !== undefined && text.endsWith(end)) break;
    }
    return text;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
