import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import fc from "fast-check";
import { LinkError } from "../../../../src/core/errors.ts";
import {
  FLAG,
  formatHeader,
  FRAME_TYPE,
  HEADER_BYTES,
  parseHeader,
  YAMUX_WINDOW_BYTES,
} from "../../../../src/link/yamux/frame_header.ts";
import { FIRST_WINDOW_BYTES } from "../../../../src/link/wire/receive_window.ts";
import { YamuxSession } from "../../../../src/link/yamux/yamux_session.ts";
import type { YamuxStream } from "../../../../src/link/yamux/yamux_stream.ts";
import { socketPair } from "../socket_pair.ts";

/** A client, and a server that hands over what is opened. */
async function pair(onStream: (stream: YamuxStream) => void) {
  const [near, far] = await socketPair();
  const client = new YamuxSession(near, {
    isClient: true,
    onStream: (stream) => stream.destroy(),
  });
  const server = new YamuxSession(far, { isClient: false, onStream });
  return {
    client,
    server,
    near,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await Promise.all([client.closed, server.closed]);
    },
  };
}

const echo = (stream: YamuxStream) => void stream.pipe(stream);

/** All up to the other side's end; an iterator would end ours as well. */
async function bytesOf(stream: Duplex): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk) => chunks.push(chunk));
  await once(stream, "end");
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Not by `once`, which rejects with the stream's error. */
function closeOf(stream: Duplex): Promise<void> {
  if (stream.closed) return Promise.resolve();
  return new Promise((resolve) => stream.once("close", resolve));
}

function bytes(length: number): Uint8Array {
  const all = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(all.subarray(at, Math.min(at + 65_536, length)));
  }
  return all;
}

Deno.test("a header is read as it was written", () => {
  const word = fc.nat({ max: 0xffff_ffff });
  fc.assert(fc.property(
    fc.nat({ max: 3 }),
    fc.nat({ max: 0xffff }),
    word,
    word,
    (type, flags, streamId, length) => {
      const header = { type, flags, streamId, length };
      assert.deepEqual(parseHeader(formatHeader(header)), header);
    },
  ));
});

Deno.test("what many streams send at once comes back on each, whole and in order", async () => {
  await using link = await pair(echo);
  const sizes = [0, 1, 255, 65_536, 300_000, 3_000_000, 9_000_000];
  await Promise.all(sizes.map(async (size) => {
    const sent = bytes(size);
    const stream = link.client.open();
    const back = bytesOf(stream);
    stream.acknowledge();
    for (let at = 0; at < size; at += 100_000) {
      if (!stream.write(sent.subarray(at, at + 100_000))) {
        await once(stream, "drain");
      }
    }
    stream.end();
    assert.equal(Buffer.compare(await back, sent), 0);
  }));
  assert.equal(link.client.size, 0);
});

Deno.test("one direction ends while the other goes on", async () => {
  await using link = await pair(async (stream) => {
    const text = new TextDecoder().decode(await bytesOf(stream));
    stream.end(`heard ${text}`);
  });
  const stream = link.client.open();
  stream.end("this");
  assert.equal(new TextDecoder().decode(await bytesOf(stream)), "heard this");
});

Deno.test("a stream that is destroyed resets the other side's", async () => {
  const opened = Promise.withResolvers<YamuxStream>();
  await using link = await pair(opened.resolve);
  const stream = link.client.open();
  stream.write("first");
  const far = await opened.promise;
  if (far.readableLength === 0) await once(far, "readable");
  stream.destroy();
  await closeOf(far);
  assert.ok(far.errored instanceof LinkError);
  assert.equal(far.errored.code, "CONNECTION_RESET");
});

Deno.test("a stream that nobody reads holds up itself alone, and takes no more than its window", async () => {
  const still = Promise.withResolvers<YamuxStream>();
  let count = 0;
  await using link = await pair((stream) =>
    count++ === 0 ? still.resolve(stream) : echo(stream)
  );
  const stuck = link.client.open();
  stuck.end(bytes(3_000_000));
  const far = await still.promise;
  const other = link.client.open();
  other.end(bytes(5_000_000));
  assert.equal((await bytesOf(other)).length, 5_000_000);
  assert.ok(far.readableLength <= FIRST_WINDOW_BYTES, `${far.readableLength}`);
  assert.equal((await bytesOf(far)).length, 3_000_000);
});

Deno.test("a connection that ends resets every stream, and tells why", async () => {
  const opened = Promise.withResolvers<YamuxStream>();
  await using link = await pair(opened.resolve);
  const stream = link.client.open();
  stream.write("hello");
  const far = await opened.promise;
  link.near.destroy();
  await Promise.all([closeOf(stream), closeOf(far)]);
  assert.equal(link.client.isClosed, true);
  assert.equal(link.client.open().destroyed, true);
});

Deno.test("bytes that are no frames, or more than was allowed, end the connection and nothing else", async () => {
  const data = (length: number, flags = FLAG.syn) =>
    formatHeader({ type: FRAME_TYPE.data, flags, streamId: 1, length });
  const tooMuch = new Uint8Array(HEADER_BYTES + YAMUX_WINDOW_BYTES + 1);
  tooMuch.set(data(YAMUX_WINDOW_BYTES + 1));
  const cases = [
    new Uint8Array(HEADER_BYTES).fill(7),
    tooMuch,
    new Uint8Array([...data(0), ...data(0)]), // its number is not free
    formatHeader({ type: 0, flags: FLAG.syn, streamId: 2, length: 0 }), // ours
    formatHeader({ type: 0, flags: FLAG.syn, streamId: 0, length: 0 }),
  ];
  for (const sent of cases) {
    const [near, far] = await socketPair();
    const server = new YamuxSession(far, {
      isClient: false,
      onStream: () => {},
    });
    near.on("error", () => {});
    near.write(sent);
    const reason = await server.closed;
    assert.ok(reason instanceof LinkError, `${sent.subarray(0, 12)}`);
    assert.equal(reason.code, "LINK_PROTOCOL");
    near.destroy();
  }
});

Deno.test("any bytes at all end in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }),
      async (chunks) => {
        const [near, far] = await socketPair();
        const server = new YamuxSession(far, {
          isClient: false,
          onStream: echo,
        });
        near.on("error", () => {}).resume();
        for (const chunk of chunks) near.write(chunk);
        near.end();
        await server.closed;
        assert.equal(server.size, 0);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("a frame for a stream that is over is dropped", async () => {
  await using link = await pair((stream) => stream.destroy());
  const stream = link.client.open();
  for (let n = 0; n < 20; n++) stream.write(bytes(10_000));
  await closeOf(stream);
  link.client.ping();
  const second = link.client.open();
  second.write("x");
  await closeOf(second);
  assert.equal(link.client.isClosed, false);
});
