// A yamux session whose other end breaks the protocol, or uses all that it allows.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { LinkError } from "../../../../src/core/errors.ts";
import { FLAG, FRAME_TYPE } from "../../../../src/link/yamux/frame_header.ts";
import { YamuxSession } from "../../../../src/link/yamux/yamux_session.ts";
import type { YamuxStream } from "../../../../src/link/yamux/yamux_stream.ts";
import { socketPair } from "../socket_pair.ts";
import { frameOf, RawPeer } from "./raw_peer.ts";

const { data, windowUpdate, ping, goAway } = FRAME_TYPE;
const { syn, ack, fin, rst } = FLAG;
const KIB = 1024;

interface Attacked extends AsyncDisposable {
  readonly session: YamuxSession;
  readonly streams: YamuxStream[];
  readonly near: Socket;
}

async function attacked({ isClient = false } = {}): Promise<Attacked> {
  const [near, far] = await socketPair();
  const streams: YamuxStream[] = [];
  const session = new YamuxSession(far, {
    isClient,
    onStream: (stream) => streams.push(stream),
  });
  return {
    session,
    streams,
    near,
    async [Symbol.asyncDispose]() {
      session.destroy();
      near.destroy();
      await session.closed;
    },
  };
}

let pings = 0;

/** Resolves when the session has taken all that was sent to it. */
async function heard(peer: RawPeer): Promise<void> {
  const number = ++pings;
  peer.send(ping, syn, 0, number);
  await peer.got(({ type, length }) => type === ping && length === number);
}

Deno.test("one who asks without end and reads no answer ends the connection, and takes no memory", async () => {
  await using it = await attacked();
  const many = new Uint8Array(12_000 * 12);
  for (let at = 0; at < many.length; at += 12) {
    many.set(frameOf(ping, syn, 0, at), at);
  }
  it.near.pause();
  let most = 0;
  const look = setInterval(() => most = Math.max(most, queued(it)), 1);
  (async () => {
    for (let n = 0; n < 200 && !it.session.isClosed; n++) {
      if (!it.near.write(many)) await once(it.near, "drain");
    }
  })().catch(() => {});
  const reason = await it.session.closed;
  clearInterval(look);
  assert.ok(reason instanceof LinkError);
  assert.equal(reason.code, "LINK_PROTOCOL");
  assert.ok(most < 2 * KIB * KIB, `${most} bytes were queued`);
});

function queued({ session }: Attacked): number {
  return session.queuedBytes;
}

Deno.test("what many streams write to a connection that stands still is not queued in it", async () => {
  const [near, far] = await socketPair();
  near.pause();
  const session = new YamuxSession(far, {
    isClient: true,
    onStream: () => {},
  });
  for (let n = 0; n < 500; n++) session.open().write(new Uint8Array(64 * KIB));
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { queuedBytes } = session;
  assert.ok(queuedBytes < 512 * KIB, `${queuedBytes} bytes are queued`);
  session.destroy();
  near.destroy();
  await session.closed;
});

Deno.test("a small piece that nobody reads keeps no large one in memory", async () => {
  await using it = await attacked();
  it.near.write(
    new Uint8Array([
      ...frameOf(data, syn, 1, new Uint8Array([7])),
      ...frameOf(data, syn, 3, new Uint8Array(60_000)),
    ]),
  );
  await heard(new RawPeer(it.near));
  const piece: Uint8Array = it.streams[0]!.read()!;
  assert.deepEqual([...piece], [7]);
  assert.ok(piece.buffer.byteLength < 64, `${piece.buffer.byteLength} bytes`);
});

Deno.test("a session on a connection that is over already is over", async () => {
  const [near, far] = await socketPair();
  near.destroy();
  far.destroy();
  await once(far, "close");
  const options = { isClient: true, onStream: () => {} };
  const session = new YamuxSession(far, options);
  await session.closed;
  assert.equal(session.open().destroyed, true);
});

Deno.test("windows without end allow to send, and nothing else", async () => {
  await using it = await attacked();
  const peer = new RawPeer(it.near);
  peer.send(windowUpdate, syn, 1);
  for (let n = 0; n < 2000; n++) peer.send(windowUpdate, 0, 1, 0xffff_ffff);
  await heard(peer);
  assert.equal(it.session.isClosed, false);
  const size = 3_000_000;
  it.streams[0]!.end(new Uint8Array(size));
  await peer.got((frame) => frame.streamId === 1 && (frame.flags & fin) > 0);
  const sent = peer.frames.filter(({ type }) => type === data);
  assert.equal(sent.reduce((all, { length }) => all + length, 0), size);
});

Deno.test("frames for streams that are not there are dropped, of any kind and length", async () => {
  await using it = await attacked();
  const peer = new RawPeer(it.near);
  for (const id of [0, 1, 2, 0xffff_ffff]) {
    for (const flags of [0, ack, fin, rst, fin | rst, 0xfff0]) {
      peer.send(data, flags, id, new Uint8Array(1000));
      peer.send(windowUpdate, flags, id, 0xffff_ffff);
    }
  }
  peer.send(goAway, 0, 0, 2);
  peer.send(ping, ack, 0, 99);
  await heard(peer);
  assert.equal(it.session.isClosed, false);
  assert.equal(it.session.size, 0);
  assert.equal(it.streams.length, 0);
  // 4 GiB that are announced for nobody wait for nothing
  peer.send(data, 0, 9, 0xffff_ffff);
  it.near.end();
  await it.session.closed;
});

Deno.test("a payload of 4 GiB for a stream ends the connection when it is more than was allowed", async () => {
  await using it = await attacked();
  it.near.write(frameOf(data, syn, 1, 0xffff_ffff));
  it.near.write(new Uint8Array(257 * KIB));
  const reason = await it.session.closed;
  assert.equal((reason as LinkError).code, "LINK_PROTOCOL");
  assert.ok(it.streams[0]!.readableLength <= 256 * KIB);
});

Deno.test("one who uses the whole first window of yamux is read as well, and goes on", async () => {
  await using it = await attacked();
  const peer = new RawPeer(it.near);
  peer.open(1, new Uint8Array(256 * KIB));
  await heard(peer);
  const [stream] = it.streams;
  assert.equal(stream!.readableLength, 256 * KIB);
  let got = 0;
  stream!.on("data", (chunk) => got += chunk.length);
  await peer.got(({ type, length }) => type === windowUpdate && length > 0);
  const granted = peer.frames.filter(({ type }) => type === windowUpdate)
    .reduce((all, { length }) => all + length, 0);
  peer.send(data, fin, 1, new Uint8Array(granted));
  await once(stream!, "end");
  assert.equal(got, 256 * KIB + granted);
});

Deno.test("what comes in pieces of one byte is what comes in one", async () => {
  await using it = await attacked();
  const sent = [
    ...frameOf(windowUpdate, syn, 1, 5),
    ...frameOf(data, 0, 1, new Uint8Array([1, 2, 3])),
    ...frameOf(data, fin, 1, new Uint8Array([4, 5])),
  ];
  const got: number[] = [];
  for (const byte of sent) {
    it.near.write(new Uint8Array([byte]));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  it.streams[0]!.on("data", (chunk) => got.push(...chunk));
  await once(it.streams[0]!, "end");
  assert.deepEqual(got, [1, 2, 3, 4, 5]);
});

Deno.test("data after an end is dropped, and so is an end after an end", async () => {
  await using it = await attacked();
  const peer = new RawPeer(it.near);
  peer.open(1, new Uint8Array([1]));
  for (let n = 0; n < 3; n++) peer.send(data, fin, 1);
  peer.send(data, 0, 1, new Uint8Array(1000));
  peer.send(windowUpdate, fin, 1);
  await heard(peer);
  const got: number[] = [];
  it.streams[0]!.on("data", (chunk) => got.push(...chunk));
  await once(it.streams[0]!, "end");
  assert.deepEqual(got, [1]);
  assert.equal(it.session.isClosed, false);
});

Deno.test("a reset in any state ends the stream and leaves none behind", async () => {
  for (const isClient of [false, true]) {
    await using it = await attacked({ isClient });
    const peer = new RawPeer(it.near);
    const first = isClient ? 2 : 1;
    peer.send(windowUpdate, syn | rst, first);
    peer.send(data, syn | rst, first + 2, new Uint8Array(100));
    peer.send(windowUpdate, syn | fin | rst, first + 4);
    peer.open(first + 6, new Uint8Array(100));
    peer.send(windowUpdate, fin, first + 6);
    peer.send(windowUpdate, rst, first + 6);
    peer.open(first + 8, new Uint8Array(100));
    peer.send(data, rst, first + 8, new Uint8Array(100));
    peer.send(windowUpdate, rst, first + 8);
    const own = it.session.open();
    own.write(new Uint8Array(300 * KIB));
    await peer.got(({ streamId }) => streamId === own.id);
    peer.send(windowUpdate, rst, own.id);
    await heard(peer);
    for (const stream of it.streams) stream.resume();
    await heard(peer);
    assert.equal(it.session.size, 0);
    assert.equal(it.session.isClosed, false);
    assert.equal(own.destroyed, true);
  }
});

Deno.test("a number of the wrong side, or one that is taken, ends the connection at either end", async () => {
  for (const isClient of [false, true]) {
    const theirs = isClient ? 2 : 1;
    for (const ids of [[theirs, theirs], [theirs + 1], [0]]) {
      await using it = await attacked({ isClient });
      for (const id of ids) it.near.write(frameOf(windowUpdate, syn, id));
      const reason = await it.session.closed;
      assert.equal((reason as LinkError).code, "LINK_PROTOCOL");
    }
  }
});

Deno.test("of 16,385 streams the last one is reset, and has a place when another is over", async () => {
  await using it = await attacked();
  const peer = new RawPeer(it.near);
  const most = 16_384;
  const all = new Uint8Array((most + 1) * 12);
  for (let n = 0; n <= most; n++) {
    all.set(frameOf(windowUpdate, syn, 2 * n + 1), n * 12);
  }
  it.near.write(all);
  await heard(peer);
  assert.equal(it.session.size, most);
  const resets = peer.frames.filter(({ flags }) => (flags & rst) > 0);
  assert.deepEqual(resets.map(({ streamId }) => streamId), [2 * most + 1]);
  peer.send(windowUpdate, rst, 1);
  peer.send(windowUpdate, syn, 2 * most + 3);
  await heard(peer);
  assert.equal(it.session.size, most);
  assert.equal(it.session.isClosed, false);
  const begun = performance.now();
  it.session.destroy();
  await it.session.closed;
  const ms = performance.now() - begun;
  assert.ok(ms < 3000, `${most} streams took ${ms} ms to end`);
});
