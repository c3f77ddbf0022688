// A longer way to a server: whatever is sent arrives that much later, in order, both ways. A program of
// its own, so that what is measured does not share its event loop. Prints its port; ends when killed.
//
//   delay_line.ts HOST PORT ONE_WAY_MS
const MIB = 2 ** 20;
/** Of one connection and direction. At 10 ms that is 1.6 GiB/s: no candidate is held up by it. */
const MAX_IN_FLIGHT = 16 * MIB;

const [hostname = "", port, oneWay] = Deno.args;
const oneWayMs = Number(oneWay);

interface Chunk {
  /** None at the end. */
  readonly bytes: Uint8Array;
  readonly dueMs: number;
}

async function pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(MIB / 4);
  const chunks: Chunk[] = [];
  let inFlight = 0;
  /** Of the reader or the writer: never do both wait. */
  let wake = () => {};
  const change = () => new Promise<void>((resolve) => wake = resolve);
  const read = async () => {
    for (;;) {
      while (inFlight >= MAX_IN_FLIGHT) await change();
      const count = await from.read(buffer) ?? 0;
      const dueMs = performance.now() + oneWayMs;
      chunks.push({ bytes: buffer.slice(0, count), dueMs });
      inFlight += count;
      wake();
      if (count === 0) return;
    }
  };
  const write = async () => {
    for (;;) {
      while (chunks.length === 0) await change();
      const { bytes, dueMs } = chunks.shift()!;
      await sleep(dueMs - performance.now());
      if (bytes.length === 0) return await to.closeWrite();
      for (let at = 0; at < bytes.length;) {
        at += await to.write(bytes.subarray(at));
      }
      inFlight -= bytes.length;
      wake();
    }
  };
  await Promise.all([read(), write()]);
}

async function relay(near: Deno.TcpConn): Promise<void> {
  using _near = near;
  // the handshake of TCP, which the kernel here answers at once, is a round trip
  await sleep(2 * oneWayMs);
  using far = await Deno.connect({ hostname, port: Number(port) });
  near.setNoDelay();
  far.setNoDelay();
  await Promise.all([pump(near, far), pump(far, near)]);
}

async function sleep(ms: number): Promise<void> {
  if (ms > 0) {
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(ms)));
  }
}

const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
console.log(listener.addr.port);
for await (const near of listener) {
  relay(near).catch(() => {}); // one end is gone: so is the other
}
