import { open } from "node:fs/promises";
import { PathChanges } from "../../core/files/path_changes.ts";

/** A line that never ends is given out in parts. */
const MAX_LINE_CHARS = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/**
 * The lines of a file, from its beginning and as they are written, until `over` aborts: then those that
 * are there, and what may be behind the last newline. Throws what reading it fails with.
 */
export async function* followLog(
  path: string,
  over: AbortSignal,
): AsyncGenerator<string> {
  // before the first look, so that nothing is missed between the two; none where nothing is followed
  using changes = over.aborted ? undefined : new PathChanges(path);
  await using file = await open(path, "r");
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(CHUNK_BYTES);
  let rest = "";
  const ended = new Promise<void>((resolve) =>
    over.addEventListener("abort", () => resolve(), { once: true })
  );
  for (;;) {
    const isLast = over.aborted;
    for (;;) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) break;
      rest += decoder.decode(buffer.subarray(0, bytesRead), { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop()!;
      yield* lines;
      if (rest.length > MAX_LINE_CHARS) {
        yield rest;
        rest = "";
      }
    }
    if (isLast) break;
    if (over.aborted) continue;
    await Promise.race([changes?.next(), ended]);
  }
  if (rest !== "") yield rest;
}
