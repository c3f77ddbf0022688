/** What the conformance kit of transports asks of a target's connections. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";

export interface EchoTarget {
  readonly host: string;
  readonly port: number;
}

type Dial = (target: EchoTarget) => Promise<Duplex>;

const BYTES = 1 << 20;
const DEADLINE_MS = 10_000;

/** All that is sent comes back, though our end is closed before; then the other end is too. */
export async function assertEcho(
  dial: Dial,
  target: EchoTarget,
): Promise<void> {
  const sent = randomBytes(BYTES);
  const echoed = await exchange(dial, target, sent);
  assert.equal(echoed.length, sent.length, "bytes are lost");
  assert.ok(sent.equals(echoed), "bytes are changed");
}

/** Whoever dials is told so: by a refusal or a reset, not by silence and not by a polite end. */
export async function assertNoWay(
  dial: Dial,
  target: EchoTarget,
): Promise<void> {
  let echoed: Uint8Array;
  try {
    echoed = await exchange(dial, target, new Uint8Array(1));
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return;
  }
  const { host, port } = target;
  const what = echoed.length === 0 ? "ends without a word" : "is reached";
  assert.fail(`${host} port ${port} ${what}`);
}

async function exchange(
  dial: Dial,
  target: EchoTarget,
  sent: Uint8Array,
): Promise<Uint8Array> {
  const late = Promise.withResolvers<never>();
  const { host, port } = target;
  const timer = setTimeout(
    () =>
      late.reject(
        new assert.AssertionError({
          message: `${host} port ${port}: nothing within ${DEADLINE_MS} ms`,
        }),
      ),
    DEADLINE_MS,
  );
  let stream: Duplex | undefined;
  const work = async () => {
    stream = await dial(target);
    stream.end(sent);
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return new Uint8Array(await new Blob(chunks as never).arrayBuffer());
  };
  try {
    return await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
    stream?.destroy();
  }
}
