import type { IncomingMessage } from "node:http";

/** Enough of a refusal to say what it was. */
const ERROR_BODY_BYTES = 64 * 1024;

/** The body as text; of an error only its beginning. */
export async function readBody(
  response: IncomingMessage,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    size += chunk.length;
    if (response.statusCode! >= 300 && size > ERROR_BODY_BYTES) {
      response.destroy();
      break;
    }
  }
  return new TextDecoder().decode(concat(chunks, size));
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
