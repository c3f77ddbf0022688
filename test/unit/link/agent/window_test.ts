// How much the other side of a channel may send to a reader that stands still.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { AgentProcess, listen, portOf } from "./agent_process.ts";
import { SilentProxy } from "./silent_proxy.ts";
import { testEachProtocol } from "./test_each_protocol.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const CHANNELS = 100;
/** By TLS the agent's answer that it took the stream, `{}` after its length, counts as well. */
const FIRST_BYTES = { ssh: 128 * KIB, tls: 128 * KIB - 4 };
const chunk = Buffer.alloc(65536);

/** Writes for as long as somebody is there. */
function pouring(): Promise<Awaited<ReturnType<typeof listen>>> {
  return listen((socket) => {
    const more = () => {
      while (socket.write(chunk));
    };
    socket.on("drain", more).resume();
    more();
  });
}

/** In one connection: an end that answers late counts as far away, as it may on a busy machine. */
const MOST_BYTES = 8 * MIB;

testEachProtocol(
  `${CHANNELS} channels hold 128 KiB each while nobody reads, and 64 MiB more in all when they are read`,
  async (protocol) => {
    await using source = await pouring();
    await using agent = await AgentProcess.start({ protocol });
    await using link = await agent.link();
    const streams = await Promise.all(
      Array.from(
        { length: CHANNELS },
        () => link.dial("127.0.0.1", portOf(source)),
      ),
    );
    for (const stream of streams) stream.read(0); // its first bytes
    await settled(streams, CHANNELS * FIRST_BYTES[protocol]);
    const first = streams.map((stream) => stream.readableLength);
    assert.equal(Math.max(...first), FIRST_BYTES[protocol]);
    assert.equal(Math.min(...first), FIRST_BYTES[protocol]);

    await Promise.all(streams.map((stream) => readFor(stream, 2 * MIB)));
    await settled(streams, 32 * MIB + 1);
    const grown = streams.map((stream) => stream.readableLength);
    const all = grown.reduce((a, b) => a + b, 0);
    assert.ok(Math.max(...grown) <= MOST_BYTES, `${Math.max(...grown)} in one`);
    // between half and all of its window waits in each
    assert.ok(all > 32 * MIB, `only ${all / MIB} MiB in all`);
    assert.ok(
      all <= 64 * MIB + CHANNELS * 128 * KIB,
      `${all / MIB} MiB in all`,
    );

    // closed channels leave their share to others
    for (const stream of streams) stream.destroy();
    const another = await link.dial("127.0.0.1", portOf(source));
    await readFor(another, 8 * MIB);
    await settled([another], MIB + 1);
    const { readableLength: held } = another;
    assert.ok(held > MIB && held <= MOST_BYTES, `${held / MIB} MiB`);
    another.destroy();
  },
);

/** Reads so much at least, and then no more. */
function readFor(stream: Duplex, bytes: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = bytes;
  const onData = (data: Uint8Array) => {
    left -= data.length;
    if (left > 0) return;
    stream.off("data", onData).pause();
    resolve();
  };
  stream.on("data", onData).resume();
  return promise;
}

/** Until nothing more comes; on a busy machine so many bytes may take their time. */
async function settled(
  streams: readonly Duplex[],
  leastBytes: number,
): Promise<void> {
  const sum = () => streams.reduce((all, { readableLength: n }) => all + n, 0);
  const deadline = performance.now() + 30_000;
  while (sum() < leastBytes && performance.now() < deadline) await pause(50);
  let last = -1;
  for (let still = 0; still < 3; still++) {
    if (last !== sum()) still = 0;
    last = sum();
    await pause(200);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

testEachProtocol(
  "a reader that stood still goes on, whatever the pieces that came meanwhile",
  async (protocol) => {
    // a first window in pieces of which those that are left are more than half of it when the first are read
    const pieces = [30, 32, 32, 32, 2].map((kib) =>
      chunk.subarray(0, kib * KIB)
    );
    const rest = Buffer.alloc(MIB);
    await using source = await listen(async (socket) => {
      socket.resume();
      for (const piece of pieces) {
        socket.write(piece);
        await pause(100);
      }
      socket.write(rest);
    });
    await using agent = await AgentProcess.start({ protocol });
    await using link = await agent.link();
    const stream = await link.dial("127.0.0.1", portOf(source));
    stream.read(0);
    await settled([stream], FIRST_BYTES[protocol]);
    assert.equal(stream.readableLength, FIRST_BYTES[protocol]);
    await readFor(stream, 128 * KIB + rest.length);
    stream.destroy();
  },
);

testEachProtocol(
  "where the way is long, more than 2 MiB of one stream are on it at once, in either direction",
  async (protocol) => {
    await using source = await pouring();
    await using sink = await listen((socket) => void socket.resume());
    await using agent = await AgentProcess.start({ protocol });
    for (const direction of ["down", "up"] as const) {
      await using far = await SilentProxy.to(agent.config.sshPort, {
        oneWayMs: 150,
      });
      await using link = await agent.link({ via: far.port });
      const end = portOf(direction === "down" ? source : sink);
      const stream = await link.dial("127.0.0.1", end);
      const enough = Promise.withResolvers<void>();
      const timer = setTimeout(
        () => enough.reject(new Error(`${direction}: ${far.mostOnTheWay}`)),
        30_000,
      );
      const look = () => {
        if (far.mostOnTheWay > 3 * MIB) enough.resolve();
      };
      const more = () => {
        look();
        while (!stream.destroyed && stream.write(chunk));
      };
      if (direction === "down") stream.on("data", look);
      else {
        stream.on("drain", more);
        more();
      }
      await enough.promise;
      clearTimeout(timer);
      stream.destroy();
      assert.ok(far.mostOnTheWay < 9 * MIB, `${far.mostOnTheWay}`);
    }
  },
);
