import { LineSplitter } from "./line_splitter.ts";
import { type HelperRequest, parseRequest, protocolError } from "./protocol.ts";

/** Requests that wait for their turn, or whose answers are not read. More are a client gone mad. */
const MOST_WAITING = 1000;

export interface Requests {
  /** Resolves at the end of the input, or by the signal; rejects where the protocol is broken. */
  readonly ended: Promise<void>;
  /** Resolves when the request under way is done; none is begun after the end. */
  idle(): Promise<unknown>;
}

/**
 * Hands on one request after the other, each when the one before is done: operations change the
 * same files. Reading goes on meanwhile, so that the end is seen at once.
 */
export function readRequests(
  { input, signal }: {
    input: ReadableStream<Uint8Array>;
    signal: AbortSignal;
  },
  handle: (request: HelperRequest) => Promise<void>,
): Requests {
  let tail: Promise<unknown> = Promise.resolve();
  let hasEnded = false;
  let waiting = 0;
  let lastId = 0;
  const take = (line: Uint8Array) => {
    const request = parseRequest(line);
    if (request.id <= lastId) throw protocolError("an id was used before");
    lastId = request.id;
    if (++waiting > MOST_WAITING) throw protocolError("too many requests");
    tail = tail.then(async () => {
      if (!hasEnded) await handle(request);
      waiting--;
    });
  };
  const ended = readLines(input, { signal, take }).finally(() =>
    hasEnded = true
  );
  return { ended, idle: () => tail };
}

async function readLines(
  input: ReadableStream<Uint8Array>,
  { signal, take }: { signal: AbortSignal; take: (line: Uint8Array) => void },
): Promise<void> {
  const reader = input.getReader();
  const stopped = Promise.withResolvers<{ done: true; value?: undefined }>();
  const stop = () => stopped.resolve({ done: true });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const lines = new LineSplitter();
  try {
    for (;;) {
      const { done, value } = await Promise.race([
        stopped.promise,
        // a pipe that breaks has ended
        reader.read().catch(() => ({ done: true, value: undefined } as const)),
      ]);
      if (done) return;
      for (const line of lines.push(value)) take(line);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    reader.cancel().catch(() => {});
  }
}
