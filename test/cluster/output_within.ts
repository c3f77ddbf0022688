import { type ChildEnd, endedWithin } from "./ended_within.ts";

export interface ChildOutput extends ChildEnd {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** So long the pipes of what has ended are read on: a server that it left running may hold them. */
const AFTER_MS = 5_000;

/**
 * What a process says until its end, and a little longer. When time is up it is killed with all that it
 * started.
 */
export async function outputWithin(
  child: Deno.ChildProcess,
  timeoutMs: number,
): Promise<ChildOutput> {
  const over = new AbortController();
  let after: ReturnType<typeof setTimeout> | undefined;
  const ended = endedWithin(child, timeoutMs).finally(() => {
    after = setTimeout(() => over.abort(), AFTER_MS);
  });
  const [end, stdout, stderr] = await Promise.all([
    ended,
    read(child.stdout, over.signal),
    read(child.stderr, over.signal),
  ]);
  clearTimeout(after);
  return { ...end, stdout, stderr };
}

async function read(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const sink = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: (chunk) => void chunks.push(chunk),
  });
  try {
    await stream.pipeTo(sink, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return await new Blob(chunks).bytes();
}
