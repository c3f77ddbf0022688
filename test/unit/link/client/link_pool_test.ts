// The cluster as its users see it, while links come and go.
import assert from "node:assert/strict";
import { once } from "node:events";
import { LinkPool } from "../../../../src/link/client/link_pool.ts";
import { AgentProcess, listen, portOf, read } from "../agent/agent_process.ts";
import { SilentProxy } from "../agent/silent_proxy.ts";
import { udpPeer } from "../agent/udp_peer.ts";

const greeting = () => listen((socket) => void socket.resume().end("hello"));

Deno.test("a call made while there is no link waits for one", async () => {
  await using agent = await AgentProcess.start({ ports: [] });
  await using server = await greeting();
  const pool = new LinkPool();
  const dialling = pool.dial("127.0.0.1", portOf(server));
  const reaching = pool.isReachable("127.0.0.1");
  await using link = await agent.link();
  await pool.use(link);
  const stream = await dialling;
  assert.equal(await read(stream), "hello");
  stream.end();
  assert.equal(await reaching, true);
  assert.ok(Array.isArray(pool.resolver.search));
});

Deno.test("without a link a call fails at its deadline", async () => {
  const pool = new LinkPool({ patienceMs: 100 });
  await assert.rejects(pool.dial("web", 80), { code: "LINK_DOWN" });
  await assert.rejects(pool.openDatagrams("web", 53), { code: "LINK_DOWN" });
  await assert.rejects(pool.resolve(new Uint8Array(12)), { code: "LINK_DOWN" });
});

Deno.test("a call ends with its signal, and what comes later is given back", async () => {
  await using agent = await AgentProcess.start({ ports: [] });
  await using proxy = await SilentProxy.to(agent.config.sshPort);
  await using server = await greeting();
  const pool = new LinkPool();
  const stop = new AbortController();
  const waiting = pool.dial("web", 80, { signal: stop.signal });
  stop.abort();
  await assert.rejects(waiting, { code: "CANCELLED" });

  await using link = await agent.link({ via: proxy.port });
  await pool.use(link);
  const stop2 = new AbortController();
  const dialling = pool.dial("127.0.0.1", portOf(server), {
    signal: stop2.signal,
  });
  const accepted = once(server, "connection");
  stop2.abort();
  await assert.rejects(dialling, { code: "CANCELLED" });
  const [socket] = await accepted;
  await new Promise((resolve) => socket.once("close", resolve));
  await link.isReachable("127.0.0.1");
  assert.equal(link.connections, 0);
});

Deno.test("a link that is lost gives its calls to the next", async () => {
  await using lost = await AgentProcess.start({ ports: [] });
  await using agent = await AgentProcess.start({ ports: [] });
  await using proxy = await SilentProxy.to(lost.config.sshPort);
  await using server = await greeting();
  const pool = new LinkPool();
  const first = await lost.link({
    via: proxy.port,
    deadAfterMs: 400,
    pingIntervalMs: 100,
  });
  await pool.use(first);
  proxy.silence();
  const dialling = pool.dial("127.0.0.1", portOf(server));
  assert.equal((await first.closed)?.code, "LINK_DEAD");
  assert.equal(pool.size, 0);
  await using second = await agent.link();
  await pool.use(second);
  const stream = await dialling;
  assert.equal(await read(stream), "hello");
  stream.end();
});

Deno.test("the pod's own answers are not tried again", async () => {
  await using agent = await AgentProcess.start({ ports: [] });
  await using link = await agent.link();
  const pool = new LinkPool();
  await pool.use(link);
  await assert.rejects(pool.dial("nothing.invalid", 80), {
    code: "DIAL_NAME_UNKNOWN",
  });
  assert.equal(await pool.isReachable("nothing.invalid"), false);
});

Deno.test("connections are spread over the links", async () => {
  await using agent = await AgentProcess.start({ ports: [] });
  await using mute = await listen(() => {});
  const links = await Promise.all([1, 2, 3].map(() => agent.link()));
  const pool = new LinkPool();
  for (const link of links) await pool.use(link);
  const streams = [];
  for (let i = 0; i < 6; i++) {
    streams.push(await pool.dial("127.0.0.1", portOf(mute)));
  }
  assert.deepEqual(links.map(({ connections }) => connections), [2, 2, 2]);
  for (const stream of streams) stream.destroy();
  for (const link of links) await link.close();
  assert.equal(pool.size, 0);
});

Deno.test("datagrams go through the pool", async () => {
  await using agent = await AgentProcess.start({ ports: [] });
  await using link = await agent.link();
  await using echo = await udpPeer();
  const pool = new LinkPool();
  await pool.use(link);
  const channel = await pool.openDatagrams("127.0.0.1", echo.port);
  const answer = new Promise((resolve) => channel.onMessage = resolve);
  channel.send(Uint8Array.of(1, 2, 3));
  assert.deepEqual(await answer, Uint8Array.of(1, 2, 3));
  channel.close();
});

Deno.test("a closed pool fails whoever waits, and whoever comes", async () => {
  const pool = new LinkPool();
  const waiting = pool.dial("web", 80);
  pool.close();
  await assert.rejects(waiting, { code: "LINK_DOWN" });
  await assert.rejects(pool.dial("web", 80), { code: "LINK_DOWN" });
});
