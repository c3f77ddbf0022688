import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { generateKeyPair } from "../../../../src/link/client/ssh_keys.ts";
import { certificateOf } from "../../../../src/link/tls/link_certificate.ts";
import { PlainDuplex } from "../../../../src/link/tls/plain_duplex.ts";
import { secureCarrier } from "../../../../src/link/tls/secure_carrier.ts";
import { socketPair } from "../socket_pair.ts";

const [pod, laptop, other] = [
  generateKeyPair(),
  generateKeyPair(),
  generateKeyPair(),
];
type Keys = typeof pod;

interface Expected {
  readonly own?: Keys;
  readonly peer?: Keys;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

function secure(
  carrier: Socket,
  side: "laptop" | "pod",
  { own, peer, timeoutMs = 5000, signal }: Expected = {},
): Promise<Duplex> {
  const [mine, theirs] = side === "laptop" ? [laptop, pod] : [pod, laptop];
  return secureCarrier(carrier, side, {
    privateKey: (own ?? mine).privateKey,
    peerPublicKey: (peer ?? theirs).publicKey,
    timeoutMs,
    ...(signal && { signal }),
  });
}

async function securePair() {
  const [near, far] = await socketPair();
  const [client, server] = await Promise.all([
    secure(near, "laptop"),
    secure(far, "pod"),
  ]);
  return { near, far, client, server };
}

/** Not by `once`, which rejects with the stream's error. */
function closeOf(stream: Duplex): Promise<void> {
  if (stream.closed) return Promise.resolve();
  return new Promise((resolve) => stream.once("close", resolve));
}

async function textOf(stream: Duplex): Promise<string> {
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk) => chunks.push(chunk));
  await once(stream, "end");
  return Buffer.concat(chunks).toString();
}

Deno.test("each direction ends by itself, when all of it has arrived", async () => {
  const { near, far, client, server } = await securePair();
  const asked = textOf(server);
  const answered = textOf(client);
  client.end("q".repeat(3_000_000));
  assert.equal((await asked).length, 3_000_000);
  server.end("a".repeat(3_000_000));
  assert.equal((await answered).length, 3_000_000);
  await Promise.all([near, far].map(closeOf));
});

Deno.test("what is said in two pieces is heard at once", async () => {
  const { near, far, client, server } = await securePair();
  const tick = () => new Promise((resolve) => setTimeout(resolve, 1));
  server.on("data", async (asked: Uint8Array) => {
    if (asked.at(-1) !== 2) return;
    server.write(new Uint8Array([1]));
    await tick();
    server.write(new Uint8Array([2]));
  });
  const took: number[] = [];
  for (let n = 0; n < 50; n++) {
    const begun = performance.now();
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    const onData = (answer: Uint8Array) => answer.at(-1) === 2 && resolve();
    client.on("data", onData);
    client.write(new Uint8Array([1]));
    await tick();
    client.write(new Uint8Array([2]));
    await heard;
    client.off("data", onData);
    took.push(performance.now() - begun);
  }
  // half of them: a busy machine holds up some
  const ms = took.sort((a, b) => a - b)[took.length / 2]!;
  assert.ok(ms < 30, `${ms} ms each; acknowledgements alone take 40`);
  client.destroy();
  server.destroy();
  await Promise.all([near, far].map(closeOf));
});

Deno.test("who is destroyed ends the other side, and both connections with it", async () => {
  for (const side of ["client", "server"] as const) {
    const { near, far, ...ends } = await securePair();
    ends.client.on("error", () => {}).resume();
    ends.server.on("error", () => {}).resume();
    for (const end of [ends.client, ends.server]) {
      end.on("end", () => end.destroy());
    }
    ends[side].destroy();
    await Promise.all([near, far, ends.client, ends.server].map(closeOf));
  }
});

Deno.test("a connection that is taken away from below ends what is on it, at both ends", async () => {
  for (const which of ["near", "far"] as const) {
    const { client, server, ...sockets } = await securePair();
    for (const end of [client, server]) {
      end.on("error", () => {}).resume().on("end", () => end.destroy());
    }
    sockets[which].destroy();
    await Promise.all([client, server].map(closeOf));
  }
});

Deno.test("a pod with another key is told from the right one before anything is said to it", async () => {
  for (const peer of [laptop, other]) {
    const [near, far] = await socketPair();
    let heard = 0;
    const serving = secure(far, "pod", { own: other, peer }).then((end) => {
      end.on("data", (chunk) => heard += chunk.length).on("error", () => {});
      end.on("end", () => end.destroy());
    }, () => {});
    const login = secure(near, "laptop").then((end) => end.write("a request"));
    await assert.rejects(login, { code: "HOST_KEY_MISMATCH" });
    await Promise.all([serving, closeOf(near), closeOf(far)]);
    assert.equal(heard, 0);
  }
});

/** What a laptop shows that is let in by no pod, and what it is let in with. */
function clients(): [string, ConnectionOptions, boolean][] {
  const show = (keys: Keys, ...more: Keys[]) => {
    const [own, ...rest] = [keys, ...more].map((one) =>
      certificateOf(one.privateKey)
    );
    const chain = [own!, ...rest].map((one) => one.certificate).join("");
    return { key: own!.privateKey, cert: chain };
  };
  return [
    ["its key", show(laptop), true],
    ["its key and another certificate", show(laptop, other), true],
    ["another key", show(other), false],
    ["the pod's own key", show(pod), false],
    ["another key and the right certificate", show(other, laptop), false],
    ["no certificate", {}, false],
    ["TLS 1.2", {
      ...show(laptop),
      ...{ minVersion: "TLSv1.2", maxVersion: "TLSv1.2" },
    }, false],
  ];
}

for (const [name, options, isLetIn] of clients()) {
  Deno.test(`a laptop with ${name} is ${isLetIn ? "" : "not "}let in`, async () => {
    const [near, far] = await socketPair();
    const client = connect({
      ...{ socket: new PlainDuplex(near), rejectUnauthorized: false },
      servername: "ktctl",
      ...options,
    });
    client.on("error", () => {}).resume();
    client.write("a request that comes with the login");
    const serving = secure(far, "pod");
    if (isLetIn) (await serving).destroy();
    else await assert.rejects(serving, { code: "LINK_HANDSHAKE" });
    await Promise.all([near.end(), far].map(closeOf));
    (client as TLSSocket).destroy();
  });
}

for (const side of ["laptop", "pod"] as const) {
  Deno.test(`what is no TLS ends the ${side}'s login`, async () => {
    const [near, far] = await socketPair();
    near.write("GET / HTTP/1.1\r\n\r\n");
    await assert.rejects(secure(far, side), { code: "LINK_HANDSHAKE" });
    near.resume().end();
    await Promise.all([near, far].map(closeOf));
  });

  Deno.test(`silence ends the ${side}'s login at its deadline`, async () => {
    const [near, far] = await socketPair();
    const login = secure(far, side, { timeoutMs: 50 });
    await assert.rejects(login, { code: "LINK_TIMEOUT" });
    near.resume().end();
    await Promise.all([near, far].map(closeOf));
  });

  Deno.test(`a signal ends the ${side}'s login, before it and during it`, async () => {
    for (const waitMs of [0, 50]) {
      const [near, far] = await socketPair();
      const signal = waitMs ? AbortSignal.timeout(waitMs) : AbortSignal.abort();
      const login = secure(far, side, { signal });
      await assert.rejects(login, { name: "Cancelled" });
      near.resume().end();
      await Promise.all([near, far].map(closeOf));
    }
  });

  Deno.test(`a key that cannot be read leaves no connection to the ${side} open`, async () => {
    const [near, far] = await socketPair();
    const own = { privateKey: "no key", publicKey: "none" };
    await assert.rejects(secure(far, side, { own }), {
      code: "LINK_KEY_INVALID",
    });
    near.resume().end();
    await Promise.all([near, far].map(closeOf));
  });

  Deno.test(`a connection that ends or breaks anywhere in the ${side}'s login leaves nothing open`, async () => {
    const whole = await loginBytes(side);
    assert.ok(whole > 300, `${whole} bytes`);
    for (const how of ["end", "resetAndDestroy"] as const) {
      for (const part of [0, 0.01, 0.2, 0.6, 0.99, 1]) {
        await cutLogin(side, how, Math.floor(whole * part));
      }
    }
  });
}

/** How many bytes a side hears until it is done. */
async function loginBytes(side: "laptop" | "pod"): Promise<number> {
  const { near, far, client, server } = await securePair();
  const { bytesRead } = side === "laptop" ? near : far;
  client.destroy();
  server.destroy();
  await Promise.all([near, far].map(closeOf));
  return bytesRead;
}

/** A login of which one side hears the first bytes, and then that the connection is over. */
async function cutLogin(
  side: "laptop" | "pod",
  how: "end" | "resetAndDestroy",
  bytes: number,
): Promise<void> {
  const [near, nearCut] = await socketPair();
  const [far, farCut] = await socketPair();
  const [from, to] = side === "laptop" ? [farCut, nearCut] : [nearCut, farCut];
  to.pipe(from);
  let left = bytes;
  from.on("data", (chunk: Uint8Array) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0) to.write(part);
    if (left === 0) to[how]();
  });
  if (left === 0) to[how]();
  const logins = [secure(near, "laptop"), secure(far, "pod")];
  const settled = Promise.allSettled(
    logins.map(async (login) => {
      const end = await login;
      end.on("error", () => {}).resume();
      end.on("end", () => end.destroy());
      await closeOf(end);
    }),
  );
  await closeOf(side === "laptop" ? near : far);
  for (const socket of [from, to]) socket.destroy();
  await settled;
  await Promise.all([near, far].map(closeOf));
}
