// Many short requests while the way to the laptop goes and comes: which of them are lost.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import {
  AgentProcess,
  answering,
  exchange,
  listen,
  portOf,
  read,
} from "./agent_process.ts";
import { ClientProcess } from "./client_process.ts";
import { Prober, RecordingServer } from "./prober.ts";
import { SilentProxy } from "./silent_proxy.ts";

const CLIENT_TIMEOUT_MS = 2000;
/** What a busy machine may add. */
const SLACK_MS = 2000;

/** So many requests are under way at a time. */
const PROBERS = 16;

interface Failover {
  title: string;
  /** How long a request may wait. */
  withinMs: number;
  /** Connections that the kernel had accepted for the local program, which never learned of them. @default 0 */
  unaccepted?: number;
  /** Takes the way to the laptop away. */
  take: (parts: Parts) => Promise<void> | void;
  /** Brings it back. @default by another client */
  give?: (parts: Parts) => Promise<void>;
}

interface Parts {
  agent: AgentProcess;
  proxy: SilentProxy;
  client: ClientProcess;
  local: RecordingServer;
}

const failovers: Failover[] = [
  {
    title: "kill -9 of the client",
    withinMs: 0,
    take: ({ client }) => client.kill(),
  },
  {
    title: "SIGSTOP of the client",
    withinMs: CLIENT_TIMEOUT_MS,
    take: ({ client }) => client.signal("SIGSTOP"),
    give: async (parts) => {
      parts.client.signal("SIGCONT");
      await once(parts.client.process, "exit"); // it learns that its link is gone
      await attach(parts);
    },
  },
  {
    title: "a link that is cut",
    withinMs: 0,
    take: ({ proxy }) => proxy.cut(),
  },
  {
    title: "a link that falls silent",
    withinMs: CLIENT_TIMEOUT_MS,
    take: ({ proxy }) => proxy.silence(),
  },
  {
    title: "a local program that ends",
    withinMs: 0,
    unaccepted: PROBERS,
    take: ({ local }) => local.stop(),
    give: ({ local }) => local.start(),
  },
];

for (const failover of failovers) {
  const { title, withinMs, unaccepted = 0, take, give = attach } = failover;
  Deno.test(`${title} loses no request that had not reached the local port, and doubles none`, async () => {
    await using original = await RecordingServer.start("original");
    await using local = await RecordingServer.start("local");
    await using agent = await AgentProcess.start({
      fallback: { host: "127.0.0.1", port: original.port },
      clientTimeoutMs: CLIENT_TIMEOUT_MS,
    });
    await using proxy = await SilentProxy.to(agent.config.sshPort);
    const parts: Parts = { agent, proxy, local, client: undefined! };
    await attach(parts);
    const prober = Prober.start(agent.port, PROBERS);
    await prober.answeredBy("local", 200);
    await take(parts);
    await prober.answeredBy("original", 200);
    await give(parts);
    await prober.answeredBy("local", 200);
    const { requests, lost, slowestMs } = await prober.stop();
    await parts.client.kill();
    const sent = lost.filter((id) => local.requests.has(id));
    console.log(
      `${title}: ${requests} requests, slowest ${
        Math.round(slowestMs)
      } ms; ${lost.length} lost, ` +
        `of which ${sent.length} were at the local program and ${local.blank} at its port`,
    );
    assert.ok(
      lost.length <= sent.length + local.blank + unaccepted,
      `${lost.length - sent.length} lost that had not been handed over`,
    );
    const twice = local.requests.intersection(original.requests);
    assert.deepEqual([...twice], [], "were done twice");
    assert.ok(slowestMs < withinMs + SLACK_MS, `one took ${slowestMs} ms`);
  });
}

Deno.test("connections on which nothing was said go on to the original when the link is lost", async () => {
  await using original = await answering("original");
  await using local = await listen((socket) =>
    void socket.resume().on("end", () => socket.end())
  );
  await using agent = await AgentProcess.start({
    fallback: { host: "127.0.0.1", port: portOf(original) },
  });
  await using client = await ClientProcess.attach(agent, portOf(local));
  const sockets = Array.from(
    { length: 20 },
    () => connect({ port: agent.port, host: "127.0.0.1", allowHalfOpen: true }),
  );
  while ((await agent.status()).connections.client < 20) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await client.kill();
  await agent.logged("client detached");
  for (const socket of sockets) socket.end("abc");
  const answers = await Promise.all(sockets.map(read));
  assert.deepEqual(new Set(answers), new Set(["original 3"]));
});

Deno.test("connections on which something was said are reset when the link is lost", async () => {
  await using original = await answering("original");
  await using local = await listen((socket) => {
    socket.write("hello");
    socket.resume().on("end", () => socket.end());
  });
  await using agent = await AgentProcess.start({
    fallback: { host: "127.0.0.1", port: portOf(original) },
  });
  await using client = await ClientProcess.attach(agent, portOf(local));
  const socket = connect({ port: agent.port, host: "127.0.0.1" });
  await once(socket, "data");
  // the reset may come before the link is known to be lost
  const reset = assert.rejects(once(socket, "end"), { code: "ECONNRESET" });
  await client.kill();
  await reset;
});

Deno.test("a local port that answers nobody sends the connection to the original with all its bytes", async () => {
  await using original = await answering("original");
  // its queue is full, and a connection beyond gets no answer at all
  using full = Deno.listen({ port: 0, hostname: "127.0.0.1", tcpBacklog: 1 });
  const { port } = full.addr;
  const waiting = [1, 2].map(() => connect({ port, host: "127.0.0.1" }));
  await Promise.all(waiting.map((socket) => once(socket, "connect")));
  await using agent = await AgentProcess.start({
    fallback: { host: "127.0.0.1", port: portOf(original) },
  });
  await using _client = await ClientProcess.attach(agent, port);
  const begun = performance.now();
  const answer = await exchange(agent.port, "x".repeat(100_000));
  const tookMs = performance.now() - begun;
  assert.equal(answer, "original 100000");
  assert.ok(tookMs > 4000, `after only ${tookMs} ms: the port has answered`);
  assert.ok(tookMs < 5000 + SLACK_MS, `after ${tookMs} ms`);
  for (const socket of waiting) socket.destroy();
});

async function attach(parts: Parts): Promise<void> {
  const { agent, proxy, local } = parts;
  await parts.client?.kill();
  parts.client = await ClientProcess.attach(agent, local.port, {
    via: proxy.port,
  });
}
