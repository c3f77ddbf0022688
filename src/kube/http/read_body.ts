import type { IncomingMessage } from "node:http";
import { ClusterError } from "../../core/errors.ts";

/** Enough of a refusal to say what it was. */
const ERROR_BODY_BYTES = 64 * 1024;
/** 500 Pods, the largest of what comes in pages, are a tenth of it. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;

/**
 * The body as text, unpacked where it came compressed; of an error only its beginning. The limit is that of
 * the text.
 *
 * Throws `ClusterError` (`ANSWER_TOO_LONG`).
 */
export async function readBody(
  response: IncomingMessage,
  maxBytes = MAX_BODY_BYTES,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of unpacked(response)) {
    chunks.push(chunk);
    size += chunk.length;
    if (response.statusCode! >= 300 && size > ERROR_BODY_BYTES) {
      response.destroy();
      break;
    }
    if (size > maxBytes) {
      response.destroy();
      throw new ClusterError(
        "ANSWER_TOO_LONG",
        `Cannot take an answer of more than ${
          Math.round(maxBytes / 1024 / 1024)
        } MiB from the API server`,
        {
          hint:
            "Look at what fills the namespace: somebody may have created it on purpose.",
        },
      );
    }
  }
  return new TextDecoder().decode(concat(chunks, size));
}

function unpacked(response: IncomingMessage): AsyncIterable<Uint8Array> {
  if (response.headers["content-encoding"] !== "gzip") return response;
  return ReadableStream.from<Uint8Array<ArrayBuffer>>(response)
    .pipeThrough(new DecompressionStream("gzip"));
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
