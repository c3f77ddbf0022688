import assert from "node:assert/strict";
import { once } from "node:events";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import {
  Cancelled,
  LinkError,
  NotFoundError,
  PermissionError,
} from "../../../src/core/errors.ts";
import type { KubeClient } from "../../../src/kube/kube_client.ts";
import {
  type Answer,
  clientOf,
  type ClientOptions,
  FakeApiServer,
  refusal,
} from "./fake_api_server.ts";
import { assertHeldBack, FLOOD_BYTES } from "./held_back.ts";
import { makePki, type TestPki } from "./test_pki.ts";

const MIB = 1024 * 1024;

interface Pod extends AsyncDisposable {
  readonly api: KubeClient;
  readonly fake: FakeApiServer;
  /** Paths of the upgrade requests. */
  readonly upgrades: string[];
  open(): Promise<Duplex>;
}

/** A pod whose port behaves as `act` says, behind a fake kubelet. Without `act` it refuses upgrades. */
async function pod(
  act: ((socket: WebSocket) => void) | undefined,
  options: { answers?: Answer[]; pki?: TestPki; client?: ClientOptions } = {},
): Promise<Pod> {
  const { pki, answers = [], client = {} } = options;
  const fake = await FakeApiServer.start(
    answers,
    pki === undefined ? {} : { tls: pki.server },
  );
  const upgrades: string[] = [];
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => offered.values().next().value ?? false,
  });
  if (act !== undefined) {
    fake.server.on("upgrade", (request, socket, head) => {
      upgrades.push(request.url!);
      sockets.handleUpgrade(request, socket, head, act);
    });
  }
  const api = clientOf(fake.url, {
    ...client,
    ...(pki && { cluster: { caData: btoa(pki.ca.cert) } }),
  });
  return {
    api,
    fake,
    upgrades,
    open: () =>
      api.portForward({ name: "web", port: 8080 }, { timeoutMs: 5000 }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      await api[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

/** The first message of both channels: the port as two bytes. */
function namePort(socket: WebSocket): void {
  socket.send(new Uint8Array([0, 0x90, 0x1f]));
  socket.send(new Uint8Array([1, 0x90, 0x1f]));
}

/** The bytes of a data message. */
function payload(message: unknown): Uint8Array {
  const frame = message as Uint8Array;
  assert.equal(frame[0], 0);
  return frame.subarray(1);
}

async function closed(stream: Duplex): Promise<void> {
  stream.destroy();
  if (!stream.closed) await once(stream, "close");
}

Deno.test("a port-forward carries bytes both ways and hides the protocol's own", async () => {
  await using web = await pod((socket) => {
    namePort(socket);
    socket.on("message", (data) => socket.send(data));
  });
  const stream = await web.open();
  stream.write("ping");
  assert.equal(String((await once(stream, "data"))[0]), "ping");
  assert.deepEqual(web.upgrades, [
    "/api/v1/namespaces/shop/pods/web/portforward?ports=8080",
  ]);
  await closed(stream);
});

Deno.test("end() flushes, and the stream is read until the pod closes it", async () => {
  await using web = await pod((socket) => {
    namePort(socket);
    let received = 0;
    socket.on("message", (data) => {
      received += payload(data).length;
      if (received < 3 * MIB) return;
      socket.send(new TextEncoder().encode(`\0got ${received}`));
      socket.close();
    });
  });
  const stream = await web.open();
  stream.end(new Uint8Array(3 * MIB));
  let text = "";
  for await (const chunk of stream) text += chunk;
  assert.equal(text, `got ${3 * MIB}`);
  assert(stream.writableFinished);
});

Deno.test("large writes leave as frames that any server can hold", async () => {
  const sizes: number[] = [];
  const done = Promise.withResolvers<void>();
  await using web = await pod((socket) => {
    namePort(socket);
    socket.on("message", (data) => {
      sizes.push(payload(data).length);
      if (sizes.reduce((sum, size) => sum + size) === MIB) done.resolve();
    });
  });
  const stream = await web.open();
  stream.write(new Uint8Array(MIB));
  await done.promise;
  assert.deepEqual(sizes, Array(8).fill(128 * 1024));
  await closed(stream);
});

Deno.test("a refused port destroys the stream and says which", async () => {
  await using web = await pod((socket) => {
    namePort(socket);
    socket.on("message", () => {
      socket.send(
        new TextEncoder().encode(
          "\x01error forwarding port 8080: dial tcp4 127.0.0.1:8080: connect: connection refused\n",
        ),
      );
    });
  });
  const stream = await web.open();
  stream.write("x");
  const [error] = await once(stream, "error");
  assert(error instanceof LinkError);
  assert.equal(error.code, "PORT_FORWARD_FAILED");
  assert.match(error.message, /port 8080 refuses connections$/);
  assert.match(error.hint!, /listens on port 8080/);
});

Deno.test("a connection that breaks is an error, not an end", async () => {
  await using web = await pod((socket) => {
    namePort(socket);
    socket.on("message", () => socket.terminate());
  });
  const stream = await web.open();
  stream.write("x");
  const [error] = await once(stream.resume(), "error");
  assert(error instanceof LinkError);
  assert.equal(error.code, "PORT_FORWARD_LOST");
});

Deno.test("destroy() closes the connection", async () => {
  const gone = Promise.withResolvers<void>();
  await using web = await pod((socket) => {
    namePort(socket);
    socket.on("close", () => gone.resolve());
  });
  await closed(await web.open());
  await gone.promise;
});

/** A network between client and server that can stop carrying what the client sends. */
class Relay implements AsyncDisposable {
  readonly #open = new Set<net.Socket>();
  private constructor(readonly server: net.Server) {}

  static async start(port: number): Promise<Relay> {
    const server = net.createServer((client) => {
      const upstream = net.connect(port, "127.0.0.1");
      client.pipe(upstream).pipe(client);
      for (const socket of [client, upstream]) {
        relay.#open.add(socket);
        socket.on("error", () => upstream.destroy());
      }
    });
    const relay = new Relay(server);
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    return relay;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  stall(): void {
    for (const socket of this.#open) socket.unpipe().pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.close(() => resolve());
    await promise;
  }
}

/** Sends for as long as its messages are taken. */
function flood(socket: WebSocket, sent: { bytes: number }): void {
  namePort(socket);
  const frame = new Uint8Array(64 * 1024 + 1);
  const send = () => {
    if (sent.bytes >= FLOOD_BYTES) return socket.close();
    sent.bytes += frame.length - 1;
    socket.send(frame, (error) => error ?? send());
  };
  send();
}

for (const secure of [false, true]) {
  const over = secure ? "TLS" : "TCP";
  Deno.test(`a slow reader holds the pod back (${over})`, async () => {
    await using pki = secure ? await makePki() : null;
    const sent = { bytes: 0 };
    await using web = await pod(
      (socket) => flood(socket, sent),
      pki === null ? {} : { pki },
    );
    await assertHeldBack(await web.open(), sent);
  });

  Deno.test(`a pod that does not read holds the writer back (${over})`, async () => {
    await using pki = secure ? await makePki() : null;
    await using web = await pod(namePort, pki === null ? {} : { pki });
    // Between the two, as a paused TLS server would go on reading on this runtime.
    await using network = await Relay.start(web.fake.port);
    await using api = clientOf(
      web.fake.url.replace(/\d+$/, String(network.port)),
      pki === null ? {} : { cluster: { caData: btoa(pki.ca.cert) } },
    );
    const stream = await api.portForward({ name: "web", port: 8080 });
    network.stall();
    const chunk = new Uint8Array(256 * 1024);
    let written = 0;
    let stalled = false;
    while (written < 64 * MIB && !stalled) {
      written += chunk.length;
      if (stream.write(chunk)) continue;
      stalled = await Promise.race([
        once(stream, "drain").then(() => false),
        new Promise<boolean>((resolve) => setTimeout(resolve, 300, true)),
      ]);
    }
    assert(stalled, `${written} bytes were taken`);
    await closed(stream);
  });
}

const REFUSALS: [
  string,
  Answer,
  new (...args: never[]) => Error,
  RegExp,
  string,
][] = [
  [
    "a pod that does not exist",
    refusal(404, {
      message: 'pods "web" not found',
      details: { name: "web", kind: "pods" },
    }),
    NotFoundError,
    /Pod "web" in namespace "shop": it does not exist/,
    "POD_NOT_FOUND",
  ],
  [
    "a missing permission",
    refusal(403, {
      message:
        'pods "web" is forbidden: User "jane" cannot create resource "pods/portforward" in API group "" in the namespace "shop"',
    }),
    PermissionError,
    /forbidden/,
    "RBAC_FORBIDDEN",
  ],
  [
    "a pod without a node",
    refusal(400, { message: "pod web does not have a host assigned" }),
    LinkError,
    /does not have a host assigned/,
    "PORT_FORWARD_FAILED",
  ],
  [
    "a container that does not run",
    (_request, response) => {
      response.writeHead(500);
      response.end("container not running (0123)");
    },
    LinkError,
    /container not running/,
    "PORT_FORWARD_FAILED",
  ],
];

for (const [what, answer, type, message, code] of REFUSALS) {
  Deno.test(`a refused handshake tells ${what}`, async () => {
    await using web = await pod(undefined, { answers: [answer] });
    await assert.rejects(web.open(), (error: unknown) => {
      assert(error instanceof type, String(error));
      assert.match(error.message, message);
      assert.equal((error as unknown as LinkError).code, code);
      return true;
    });
  });
}

Deno.test("a port-forward that never gets its port ends at its deadline", async () => {
  const gone = Promise.withResolvers<void>();
  await using web = await pod((socket) =>
    socket.on("close", () => gone.resolve())
  );
  await assert.rejects(
    web.api.portForward({ name: "web", port: 1 }, { timeoutMs: 100 }),
    { code: "CLUSTER_UNREACHABLE" },
  );
  await gone.promise;
});

Deno.test("a port-forward ends with the reason its signal was aborted with", async () => {
  const abort = new AbortController();
  const reason = new Cancelled("Ctrl-C");
  const gone = Promise.withResolvers<void>();
  await using web = await pod((socket) => {
    socket.on("close", () => gone.resolve());
    abort.abort(reason);
  });
  const pending = web.api.portForward({ name: "web", port: 1 }, {
    signal: abort.signal,
  });
  await assert.rejects(pending, (error) => error === reason);
  await gone.promise;
});

for (
  const answer of [
    refusal(400, { message: "Upgrade request required" }),
    refusal(400, {
      message: "unable to upgrade: missing upgrade headers in request",
    }),
    refusal(426, { message: "Upgrade Required" }),
  ]
) {
  Deno.test("what does not pass upgrades is named, by either way to a pod, and is no matter of time", async () => {
    await using web = await pod(undefined, { answers: [answer] });
    const error = {
      name: "ClusterError",
      code: "UPGRADE_REFUSED",
      message:
        /^Cannot open a .* to Pod "web" in namespace "shop": something between/,
      hint: /Connection and Upgrade/,
    };
    await assert.rejects(web.open(), error);
    const upgrade = { path: "/link", protocol: "test", headers: {} };
    const ref = { name: "web", namespace: "shop", port: 80 };
    await assert.rejects(web.api.proxyToPod(ref, upgrade), error);
  });
}

Deno.test("a page in the place of a port-forward is no matter of time", async () => {
  const page: Answer = (_request, response) => response.end("<html>Sign in");
  await using web = await pod(undefined, { answers: [page] });
  await assert.rejects(web.open(), { code: "UPGRADE_REFUSED" });
});
