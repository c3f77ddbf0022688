// Both ends of a link whose other end logs in wrongly, or does not say what its streams are for.
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import type { LinkError } from "../../../../src/core/errors.ts";
import { firstToSpeak } from "../../../../src/link/wire/first_to_speak.ts";
import type { PodRequests } from "../../../../src/link/wire/pod_end.ts";
import { frame } from "../../../../src/link/wire/frame_reader.ts";
import { FLAG, FRAME_TYPE } from "../../../../src/link/yamux/frame_header.ts";
import { YamuxLaptopEnd } from "../../../../src/link/yamux/yamux_laptop_end.ts";
import { YamuxPodEnd } from "../../../../src/link/yamux/yamux_pod_end.ts";
import { socketPair } from "../socket_pair.ts";
import { RawPeer } from "./raw_peer.ts";

const { data, windowUpdate } = FRAME_TYPE;
const { syn, ack, fin, rst } = FLAG;
const login = message({ kind: "login", name: "alice" });
const dial = message({ kind: "dial", host: "::1", port: 1 });

function message(value: unknown): Uint8Array {
  return frame(new TextEncoder().encode(JSON.stringify(value)));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function attackedPod(requestTimeoutMs?: number) {
  const [near, far] = await socketPair();
  const peer = new RawPeer(near);
  const pod = new YamuxPodEnd(
    far,
    requestTimeoutMs === undefined ? {} : { requestTimeoutMs },
  );
  const asked: string[] = [];
  const requests: PodRequests = {
    onDial: ({ host, refuse }) => {
      asked.push(`dial ${host}`);
      refuse("ECONNREFUSED: nobody");
    },
    onAttach: (port) => asked.push(`attach ${port}`) > 0,
    onDetach: () => false,
  };
  const name = pod.login.then((name) => {
    pod.serve(requests);
    return name;
  }, () => undefined);
  return {
    ...{ pod, peer, asked, name },
    async [Symbol.asyncDispose]() {
      pod.destroy();
      near.destroy();
      await pod.closed;
    },
  };
}

for (
  const [what, messages] of Object.entries({
    "a dial": [dial],
    "a port": [message({ kind: "attach", port: 1 })],
    "a dial, before its login": [dial, login],
    "to log in twice": [login, login],
    "nothing that is a message": [new Uint8Array([0, 2, 1, 2])],
    "for what there is not": [message({ kind: "exec", command: "sh" })],
  })
) {
  Deno.test(`who begins with ${what} ends the connection and gets nothing`, async () => {
    await using it = await attackedPod();
    messages.forEach((one, at) => it.peer.open(2 * at + 1, one));
    const reason = await it.pod.closed;
    assert.equal((reason as LinkError).code, "LINK_PROTOCOL");
    assert.deepEqual(it.asked, []);
  });
}

Deno.test("who has opened a stream for the login cannot dial on another one before it is said", async () => {
  await using it = await attackedPod();
  it.peer.send(windowUpdate, syn, 1);
  it.peer.open(3, dial);
  const reason = await it.pod.closed;
  assert.equal((reason as LinkError).code, "LINK_PROTOCOL");
  assert.equal(await it.name, undefined);
  assert.deepEqual(it.asked, []);
});

Deno.test("requests that come in one flight with the login are done, also byte by byte", async () => {
  for (const isSplit of [false, true]) {
    await using it = await attackedPod();
    const parts = isSplit ? [...login].map((byte) => [byte]) : [login];
    it.peer.send(windowUpdate, syn, 1);
    for (const part of parts) {
      it.peer.send(data, 0, 1, new Uint8Array(part));
    }
    it.peer.open(3, dial);
    it.peer.open(5, message({ kind: "attach", port: 80 }));
    assert.equal(await it.name, "alice");
    await it.peer.got(({ streamId, flags }) =>
      streamId === 5 && (flags & fin) > 0
    );
    assert.deepEqual(it.asked, ["dial ::1", "attach 80"]);
  }
});

Deno.test("what comes in one flight with the answer to an offer is heard", async () => {
  for (const said of ["hello", ""]) {
    await using it = await attackedPod();
    it.peer.open(1, login);
    await it.name;
    const offering = it.pod.offer(80, { host: "::1", port: 1 });
    await it.peer.got(({ streamId }) => streamId === 2);
    const flags = said === "" ? fin : 0;
    const bytes = [...message({}), ...new TextEncoder().encode(said)];
    it.peer.send(data, ack | flags, 2, new Uint8Array(bytes));
    const channel = await offering;
    const silent = new PassThrough();
    const heard = firstToSpeak(silent, channel);
    const first = await Promise.race([heard, pause(1000)]);
    assert.ok(first === channel, said);
  }
});

const NO_REQUESTS: Record<string, Uint8Array> = {
  "no JSON": frame(new TextEncoder().encode("{")),
  "no text": frame(new Uint8Array(100).fill(255)),
  "another type": message([1]),
  "another kind": message({ kind: "connection", port: 1 }),
  "a port too high": message({ kind: "dial", host: "a", port: 65_536 }),
  "a host too long": message({ kind: "dial", host: "a".repeat(1025), port: 1 }),
  "no bytes": new Uint8Array([0, 0]),
  "too many bytes": new Uint8Array([0xff, 0xff]),
};

Deno.test("a stream that begins with no request is reset, and the others go on", async () => {
  await using it = await attackedPod();
  it.peer.open(1, login);
  const all = Object.entries(NO_REQUESTS);
  for (const [at, [name, bytes]] of all.entries()) {
    const id = 2 * at + 3;
    it.peer.open(id, bytes);
    await Promise.race([
      it.peer.got(({ streamId, flags }) =>
        streamId === id && (flags & rst) > 0
      ),
      it.pod.closed.then(() => assert.fail(name)),
    ]);
  }
  it.peer.open(101, dial);
  await it.peer.got(({ streamId }) => streamId === 101);
  assert.deepEqual(it.asked, ["dial ::1"]);
});

Deno.test("streams that never say what they are for are reset at their deadline, at either end", async () => {
  await using it = await attackedPod(50);
  it.peer.open(1, login);
  const [near, far] = await socketPair();
  const fromPod = new RawPeer(near);
  const laptop = new YamuxLaptopEnd(far, { requestTimeoutMs: 50 });
  for (const [peer, first] of [[it.peer, 3], [fromPod, 2]] as const) {
    const ids = Array.from({ length: 100 }, (_, n) => first + 2 * n);
    for (const [n, id] of ids.entries()) {
      peer.open(id, dial.subarray(0, n % 2));
    }
    for (const id of ids) {
      await peer.got(({ streamId, flags }) =>
        streamId === id && (flags & rst) > 0
      );
    }
  }
  assert.equal(laptop.isClosed, false);
  assert.equal(it.pod.isClosed, false);
  laptop.destroy();
  near.destroy();
  await laptop.closed;
});

Deno.test("who was refused, or has all that it asked for, holds no stream, whatever it does", async () => {
  await using it = await attackedPod();
  it.peer.open(1, login);
  it.peer.open(3, dial);
  it.peer.open(5, message({ kind: "attach", port: 80 }));
  it.peer.open(7, message({ kind: "detach", port: 80 }));
  for (const id of [1, 3, 5, 7]) {
    await it.peer.got(({ streamId, flags }) =>
      streamId === id && (flags & rst) > 0
    );
  }
});

Deno.test("each wait for an answer ends with its stream, and with the connection", async () => {
  for (const how of [fin, rst, "end"] as const) {
    const [near, far] = await socketPair();
    const peer = new RawPeer(near);
    const laptop = new YamuxLaptopEnd(far);
    const waits = [
      laptop.login("alice"),
      laptop.dial("::1", 1),
      laptop.attach(1),
    ];
    const ended = Promise.allSettled(waits);
    await peer.got(({ streamId }) => streamId === 5);
    for (const id of [1, 3, 5]) {
      peer.send(data, 0, id, new Uint8Array([0]));
      if (how !== "end") peer.send(windowUpdate, how, id);
    }
    if (how === "end") near.end();
    for (const { status } of await ended) assert.equal(status, "rejected");
    laptop.destroy();
    near.destroy();
    await laptop.closed;
  }
});

Deno.test("an answer that comes byte by byte leaves no listeners behind", async () => {
  const [near, far] = await socketPair();
  const peer = new RawPeer(near);
  const laptop = new YamuxLaptopEnd(far);
  const dialling = laptop.dial("::1", 1);
  await peer.got(({ streamId }) => streamId === 1);
  for (const byte of message({ note: "x".repeat(30) })) {
    peer.send(data, 0, 1, new Uint8Array([byte]));
    await pause(1);
  }
  const stream = await dialling;
  for (const event of ["readable", "end", "close"]) {
    assert.ok(stream.listenerCount(event) < 2, event);
  }
  laptop.destroy();
  near.destroy();
  await laptop.closed;
});
