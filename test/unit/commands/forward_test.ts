// The whole of `ktctl forward svc/…` as a process, before an API server that answers as it is told.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { type WebSocket, WebSocketServer } from "ws";
import { KtctlProcess } from "../../cluster/ktctl_process.ts";
import {
  answering,
  exchange,
  listen,
  portOf,
} from "../link/agent/agent_process.ts";
import { FakeApiServer } from "../kube/fake_api_server.ts";

/** Service "web" with one port, and the pods behind it: each a port of this machine. */
class TinyCluster implements AsyncDisposable {
  readonly #api: FakeApiServer;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => offered.values().next().value ?? false,
  });
  readonly #dir: string;
  readonly #watches = new Set<ServerResponse>();
  readonly #pods = new Map<string, number>();
  #version = 1;

  private constructor(api: FakeApiServer, dir: string) {
    this.#api = api;
    this.#dir = dir;
    api.server.on("upgrade", (request, socket, head) => {
      const [, name] = /\/pods\/([^/]+)\/portforward/.exec(request.url!) ?? [];
      const port = this.#pods.get(name!);
      if (port === undefined) {
        const status = JSON.stringify({
          kind: "Status",
          code: 404,
          reason: "NotFound",
          message: `pods "${name}" not found`,
          details: { name, kind: "pods" },
        });
        return socket.end(
          "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n" +
            `Connection: close\r\nContent-Length: ${status.length}\r\n\r\n${status}`,
        );
      }
      this.#sockets.handleUpgrade(
        request,
        socket,
        head,
        (socket) => bridge(socket, port),
      );
    });
  }

  static async start(): Promise<TinyCluster> {
    const dir = await mkdtemp(`${tmpdir()}/ktctl-forward-`);
    const answer = (url: string, response: ServerResponse) =>
      cluster.#answer(url, response);
    const api = await FakeApiServer.start([
      ({ url }, response) => answer(url, response),
    ]);
    const cluster: TinyCluster = new TinyCluster(api, dir);
    const entry = (
      name: string,
      value: unknown,
    ) => [{ name: "a", [name]: value }];
    await writeFile(
      `${dir}/kubeconfig`,
      JSON.stringify({
        clusters: entry("cluster", { server: api.url }),
        users: entry("user", {}),
        contexts: entry("context", { cluster: "a", user: "a" }),
        "current-context": "a",
      }),
    );
    return cluster;
  }

  forward(...args: string[]): KtctlProcess {
    return new KtctlProcess(["forward", ...args], {
      kubeconfig: `${this.#dir}/kubeconfig`,
      namespace: "shop",
      env: { XDG_STATE_HOME: this.#dir },
    });
  }

  /** What pods are ready now, and their ports on this machine. */
  setPods(pods: Record<string, number>): void {
    this.#pods.clear();
    for (const [name, port] of Object.entries(pods)) this.#pods.set(name, port);
    this.#version++;
    for (const response of this.#watches) {
      const event = { type: "MODIFIED", object: this.#slice() };
      response.write(`${JSON.stringify(event)}\n`);
    }
  }

  /** The pod goes, and nobody is told. */
  loseSilently(name: string): void {
    this.#pods.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    await this.#api[Symbol.asyncDispose]();
    await rm(this.#dir, { recursive: true });
  }

  #answer(url: string, response: ServerResponse): void {
    response.setHeader("Content-Type", "application/json");
    if (url.includes("/services/web")) {
      response.end(JSON.stringify({
        metadata: { name: "web" },
        spec: { selector: { app: "web" }, ports: [{ port: 80, name: "http" }] },
      }));
    } else if (url.includes("/endpointslices") && url.includes("watch=1")) {
      this.#watches.add(response);
      response.once("close", () => this.#watches.delete(response));
      response.flushHeaders();
    } else if (url.includes("/endpointslices")) {
      const metadata = { resourceVersion: String(this.#version) };
      response.end(JSON.stringify({ metadata, items: [this.#slice()] }));
    } else response.writeHead(404).end("{}");
  }

  #slice() {
    const endpoints = [...this.#pods.keys()].map((name) => ({
      addresses: ["10.0.0.1"],
      targetRef: { kind: "Pod", name, uid: name },
    }));
    return {
      metadata: { name: "web-1", resourceVersion: String(this.#version) },
      endpoints,
      ports: [{ name: "http", port: 8080 }],
    };
  }
}

/** What a kubelet does with one port-forward. */
function bridge(socket: WebSocket, port: number): void {
  const far = connect({ port, host: "127.0.0.1" });
  for (const channel of [0, 1]) {
    socket.send(Uint8Array.of(channel, 8080 & 0xff, 8080 >> 8));
  }
  socket.on("message", (data) => far.write((data as Uint8Array).subarray(1)));
  socket.on("close", () => far.destroy());
  far.on("data", (data: Uint8Array) => socket.send(Uint8Array.of(0, ...data)));
  far.on("end", () => socket.close(1000));
  far.on("error", () => {});
  far.on("close", () => far.readableEnded || socket.terminate());
}

/** Says its name and ends. */
function greeter(name: string) {
  return listen((socket) => void socket.resume().end(name));
}

Deno.test("forward leads to a ready pod, and to the next one when it goes", async () => {
  await using cluster = await TinyCluster.start();
  await using one = await greeter("one");
  await using two = await greeter("two");
  cluster.setPods({ "web-1": portOf(one) });
  await using forward = cluster.forward("web", ":80");
  const ready = await forward.ready();
  const { local, port, target, verb } = ready;
  assert.deepEqual([port, target, verb], [80, 'Service "web"', "forward"]);
  assert.equal(await exchange(local, ""), "one");

  cluster.setPods({ "web-2": portOf(two) });
  const down = await forward.event("link");
  assert.match(down["reason"], /"web-1"/);
  assert.equal(await exchange(local, ""), "two");

  // no pod: the connection waits for one
  cluster.setPods({});
  const waiting = exchange(local, "");
  await forward.event(({ event, reason }) =>
    event === "link" && /web-2/.test(reason)
  );
  cluster.setPods({ "web-3": portOf(one) });
  assert.equal(await waiting, "one");

  // gone without a word: the next connection finds out, and takes the other one
  cluster.setPods({ "web-3": portOf(one), "web-4": portOf(two) });
  cluster.loseSilently("web-3");
  assert.equal(await exchange(local, ""), "two");

  const { code, events } = await forward.stop();
  assert.equal(code, 0);
  assert.equal(events.at(-1)?.event, "closed");
  assert.deepEqual(events.filter(({ event }) => event === "warning"), []);
  await assert.rejects(exchange(local, ""), { code: "ECONNREFUSED" });
});

Deno.test("forward carries bytes both ways, on many connections at once", async () => {
  await using cluster = await TinyCluster.start();
  await using echo = await listen((socket) => void socket.pipe(socket));
  cluster.setPods({ "web-1": portOf(echo) });
  await using forward = cluster.forward("web", ":http");
  const { local } = await forward.ready();
  await Promise.all(Array.from({ length: 30 }, async (_, i) => {
    const socket = connect({ port: local, host: "127.0.0.1" });
    const sent = new Uint8Array(100_000).fill(i);
    socket.write(sent);
    let count = 0;
    for await (const chunk of socket) {
      assert.ok((chunk as Uint8Array).every((byte) => byte === i));
      count += (chunk as Uint8Array).length;
      if (count === sent.length) break; // which closes it
    }
    assert.equal(count, sent.length);
  }));
});

Deno.test("without a ready pod forward says so in time", async () => {
  await using cluster = await TinyCluster.start();
  const { code, error } = await cluster.forward(
    "web",
    ":80",
    "--portForwardTimeout",
    "1",
  ).ended();
  assert.equal(code, 5);
  assert.equal(error?.["code"], "NO_READY_POD");
});

Deno.test("a local port that is taken is told before anything else is tried", async () => {
  await using cluster = await TinyCluster.start();
  await using taken = await answering("taken");
  const port = portOf(taken);
  const { code, error } = await cluster.forward("web", `${port}:80`).ended();
  assert.equal(code, 7);
  assert.equal(error?.["code"], "PORT_TAKEN");
  assert.match(error?.["hint"], /local:port/);
});

Deno.test("Ctrl-C before it is ready ends forward with 130", async () => {
  await using cluster = await TinyCluster.start();
  await using forward = cluster.forward("web", ":80");
  await forward.event(({ event, name }) =>
    event === "step" && name === "connect to a ready pod"
  );
  assert.equal((await forward.stop()).code, 130);
});

Deno.test("a pod that resets resets the client", async () => {
  await using cluster = await TinyCluster.start();
  await using rude = await listen((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
    socket.once("end", () => socket.end());
  });
  cluster.setPods({ "web-1": portOf(rude) });
  await using forward = cluster.forward("web", ":80");
  const { local } = await forward.ready();
  const socket = connect({ port: local, host: "127.0.0.1" });
  await once(socket, "connect");
  socket.write("hello");
  await assert.rejects(once(socket.resume(), "end"), { code: "ECONNRESET" });
});
