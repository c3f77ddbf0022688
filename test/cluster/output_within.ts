import { endProcessTree } from "./end_process_tree.ts";

export interface ChildOutput {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** Whether time was up. */
  readonly isLate: boolean;
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
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void endProcessTree(child.pid);
  }, timeoutMs);
  const over = new AbortController();
  let after: ReturnType<typeof setTimeout> | undefined;
  const ended = child.status.finally(() => {
    clearTimeout(timer);
    after = setTimeout(() => over.abort(), AFTER_MS);
  });
  const [{ code }, stdout, stderr] = await Promise.all([
    ended,
    read(child.stdout, over.signal),
    read(child.stderr, over.signal),
  ]);
  clearTimeout(after);
  return { code, stdout, stderr, isLate };
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
