import type { Duplex } from "node:stream";
import { LinkError } from "./errors.ts";

/**
 * All that comes until the other side ends, as text, or until it has ended with `end`: through a
 * port-forward the end of a stream comes a second late. Rejects with `AbortError` on the signal.
 * Throws `LinkError` (`ANSWER_TOO_LONG`).
 */
export async function readAll(
  stream: Duplex,
  { signal, maxBytes, end }: {
    signal: AbortSignal;
    maxBytes: number;
    end?: string;
  },
): Promise<string> {
  const abort = () =>
    stream.destroy(new DOMException("timed out", "AbortError"));
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    let text = "";
    let size = 0;
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const bytes = chunk as Uint8Array;
      size += bytes.length;
      if (size > maxBytes) throw tooLong(maxBytes);
      text += decoder.decode(bytes, { stream: true });
      if (end !== undefined && text.endsWith(end)) break;
    }
    return text;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function tooLong(maxBytes: number): LinkError {
  return new LinkError(
    "ANSWER_TOO_LONG",
    `Cannot take an answer of more than ${maxBytes} bytes`,
    { hint: "Look at the pod that sent it: it may not be what its name says." },
  );
}
