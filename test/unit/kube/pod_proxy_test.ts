import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
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

const UPGRADE = {
  path: "/link",
  protocol: "test",
  headers: { "x-token": "t0ken" },
};

interface Pod extends AsyncDisposable {
  readonly api: KubeClient;
  /** The requests for another protocol. */
  readonly upgrades: IncomingMessage[];
  open(
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<Duplex>;
}

/** A pod that speaks as `act` says behind a fake API server. Without `act` the server refuses. */
async function pod(
  act: ((socket: Duplex) => void) | undefined,
  options: { answers?: Answer[]; pki?: TestPki; client?: ClientOptions } = {},
): Promise<Pod> {
  const { pki, answers = [], client = {} } = options;
  const fake = await FakeApiServer.start(
    answers,
    pki === undefined ? {} : { tls: pki.server },
  );
  const upgrades: IncomingMessage[] = [];
  const sockets = new Set<Duplex>();
  if (act !== undefined) {
    fake.server.on("upgrade", (request, socket) => {
      upgrades.push(request);
      sockets.add(socket);
      socket.on("error", () => {});
      act(socket);
    });
  }
  const api = clientOf(fake.url, {
    ...client,
    ...(pki && { cluster: { caData: btoa(pki.ca.cert) } }),
  });
  return {
    api,
    upgrades,
    open: (call = {}) =>
      api.proxyToPod({ name: "web", port: 2223 }, UPGRADE, {
        timeoutMs: 5000,
        ...call,
      }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await api[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

function switchProtocol(socket: Duplex, first = ""): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n${first}`,
  );
}

async function closed(stream: Duplex): Promise<void> {
  stream.destroy();
  if (!stream.closed) await once(stream, "close");
}

Deno.test("a connection to a pod's program asks for its protocol and carries bytes both ways", async () => {
  await using pki = await makePki();
  await using web = await pod((socket) => {
    switchProtocol(socket, "hello ");
    socket.on("data", (data) => socket.write(data));
  }, { pki, client: { user: { token: "secret" } } });
  const stream = await web.open();
  let text = "";
  stream.on("data", (data) => text += data);
  stream.write("ping");
  while (text !== "hello ping") await once(stream, "data");
  const [request] = web.upgrades;
  assert.equal(
    request?.url,
    "/api/v1/namespaces/shop/pods/web:2223/proxy/link",
  );
  assert.equal(request?.method, "GET");
  const { upgrade, authorization, "x-token": token } = request!.headers;
  assert.deepEqual([upgrade, authorization, token], [
    "test",
    "Bearer secret",
    "t0ken",
  ]);
  await closed(stream);
});

Deno.test("a pod's end of the connection is an end, and a break an error", async () => {
  await using web = await pod((socket) => {
    switchProtocol(socket);
    socket.on("data", (data) => {
      if (String(data) === "end") socket.end("bye");
      else (socket as unknown as { resetAndDestroy(): void }).resetAndDestroy();
    });
  });
  const ended = await web.open();
  ended.write("end");
  let text = "";
  for await (const data of ended) text += data;
  assert.equal(text, "bye");
  const broken = await web.open();
  broken.write("break");
  const [error] = await once(broken.resume(), "error");
  assert(error instanceof LinkError);
  assert.equal(error.code, "POD_PROXY_LOST");
  assert.match(
    error.message,
    /^Cannot open a connection to Pod "web" in namespace "shop": the connection was lost/,
  );
});

for (const secure of [false, true]) {
  const over = secure ? "TLS" : "TCP";
  Deno.test(`whoever reads a pod's program slowly holds it back (${over})`, async () => {
    await using pki = secure ? await makePki() : null;
    const sent = { bytes: 0 };
    await using web = await pod((socket) => {
      switchProtocol(socket);
      flood(socket, sent);
    }, pki === null ? {} : { pki });
    await assertHeldBack(await web.open(), sent);
  });
}

/** Sends for as long as its bytes are taken. */
async function flood(socket: Duplex, sent: { bytes: number }): Promise<void> {
  const chunk = new Uint8Array(64 * 1024);
  while (sent.bytes < FLOOD_BYTES) {
    sent.bytes += chunk.length;
    if (!socket.write(chunk)) await once(socket, "drain");
  }
  socket.end();
}

const REFUSALS: [
  string,
  Answer,
  new (...args: never[]) => Error,
  string,
][] = [
  [
    "a pod that does not exist",
    refusal(404, {
      message: 'pods "web" not found',
      details: { name: "web", kind: "pods" },
    }),
    NotFoundError,
    "POD_NOT_FOUND",
  ],
  [
    "a missing permission",
    refusal(403, {
      message:
        'pods "web" is forbidden: User "jane" cannot get resource "pods/proxy" in API group "" in the namespace "shop"',
    }),
    PermissionError,
    "RBAC_FORBIDDEN",
  ],
  [
    "a port on which nothing listens",
    refusal(500, {
      message:
        "error dialing backend: dial tcp 10.0.0.9:2223: connect: connection refused",
    }),
    LinkError,
    "POD_PROXY_FAILED",
  ],
  [
    "a program that does not change its protocol",
    (_request, response) => void response.writeHead(200).end("hello"),
    LinkError,
    "POD_PROXY_FAILED",
  ],
];
for (const [what, answer, type, code] of REFUSALS) {
  Deno.test(`a refused connection to a pod's program tells ${what}`, async () => {
    await using web = await pod(undefined, { answers: [answer] });
    await assert.rejects(web.open(), (error: unknown) => {
      assert(error instanceof type, String(error));
      assert.equal((error as unknown as LinkError).code, code);
      return true;
    });
  });
}

Deno.test("a pod's program that never answers is given up at the deadline, and by the signal", async () => {
  const gone: Promise<unknown>[] = [];
  const abort = new AbortController();
  const reason = new Cancelled("Ctrl-C");
  await using web = await pod((socket) => {
    gone.push(
      Promise.race([once(socket.resume(), "end"), once(socket, "close")]),
    );
    if (gone.length === 2) abort.abort(reason);
  });
  await assert.rejects(web.open({ timeoutMs: 100 }), {
    code: "CLUSTER_UNREACHABLE",
  });
  await assert.rejects(
    web.open({ signal: abort.signal }),
    (error) => error === reason,
  );
  assert.equal(gone.length, 2);
  await Promise.all(gone);
});
