import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { connectLocal } from "../../../../src/link/client/connect_local.ts";
import { provePath } from "../../../../src/link/client/prove_path.ts";
import {
  AgentProcess,
  answering,
  freePorts,
  listen,
  portOf,
  read,
} from "../agent/agent_process.ts";
import { SilentProxy } from "../agent/silent_proxy.ts";

Deno.test("a link without a byte for the time limit is dead", async () => {
  await using agent = await AgentProcess.start();
  await using proxy = await SilentProxy.to(agent.config.sshPort);
  const link = await agent.link({
    via: proxy.port,
    deadAfterMs: 800,
    pingIntervalMs: 200,
  });
  const beat = await Promise.race([
    link.closed,
    new Promise((r) => setTimeout(r, 1600, "alive")),
  ]);
  assert.equal(beat, "alive");
  const dialled = await link.dial("127.0.0.1", agent.config.statusPort);
  proxy.silence();
  const since = performance.now();
  await assert.rejects(once(dialled, "end"), { code: "CONNECTION_RESET" });
  const reason = await link.closed;
  assert.equal(reason?.code, "LINK_DEAD");
  assert.ok(performance.now() - since < 1800);
  await assert.rejects(link.dial("127.0.0.1", 1), { code: "LINK_DEAD" });
  await assert.rejects(link.attach(agent.port, () => connectLocal(1)), {
    code: "LINK_DEAD",
  });
  assert.equal(link.connections, 0);
});

Deno.test("a long upload over a slow line is not taken for a dead link", async () => {
  const received = Promise.withResolvers<number>();
  await using sink = await listen((socket) => {
    let length = 0;
    socket.on("data", (chunk) => length += chunk.length);
    socket.on("end", () => {
      received.resolve(length);
      socket.end();
    });
  });
  await using agent = await AgentProcess.start();
  await using proxy = await SilentProxy.to(agent.config.sshPort, {
    bytesPerSecondUp: 2 << 20,
  });
  const link = await agent.link({
    via: proxy.port,
    deadAfterMs: 600,
    pingIntervalMs: 150,
  });
  const stream = await link.dial("127.0.0.1", portOf(sink));
  const size = 10 << 20;
  stream.end(new Uint8Array(size));
  assert.equal(await Promise.race([received.promise, link.closed]), size);
  await link.close();
});

Deno.test("an agent that dies ends the link and its dials at once", async () => {
  await using mute = await listen((socket) =>
    void socket.resume().on("end", () => socket.end())
  );
  await using agent = await AgentProcess.start();
  const link = await agent.link();
  const dialled = await link.dial("127.0.0.1", portOf(mute));
  agent.process.kill("SIGKILL");
  await assert.rejects(once(dialled, "end"), { code: "CONNECTION_RESET" });
  assert.equal((await link.closed)?.code, "LINK_LOST");
  await link.detach(agent.port);
  await link.close();
});

Deno.test("a dial that fails says why", async () => {
  await using agent = await AgentProcess.start();
  await using link = await agent.link();
  const [closedPort] = await freePorts(1) as [number];
  await assert.rejects(link.dial("127.0.0.1", closedPort), {
    code: "DIAL_REFUSED",
    message:
      `Cannot connect to "127.0.0.1:${closedPort}" from the pod: connection refused`,
  });
  await assert.rejects(link.dial("name.invalid", 80), {
    code: "DIAL_NAME_UNKNOWN",
  });
});

Deno.test("close waits for open connections, but no longer than the grace", async () => {
  await using local = await answering("local");
  await using agent = await AgentProcess.start();
  const patient = await agent.link();
  await patient.attach(agent.port, () => connectLocal(portOf(local)));
  const socket = connect({
    port: agent.port,
    host: "127.0.0.1",
    allowHalfOpen: true,
  });
  socket.write("abc");
  await once(local, "connection");
  const closing = patient.close({ graceMs: 10_000 });
  socket.end();
  assert.equal(await read(socket), "local 3");
  await closing;
  assert.equal(await patient.closed, undefined);

  const hasty = await agent.link();
  await hasty.attach(agent.port, () => connectLocal(portOf(local)));
  const cut = connect({
    port: agent.port,
    host: "127.0.0.1",
    allowHalfOpen: true,
  });
  await once(local, "connection");
  await Promise.all([
    assert.rejects(once(cut, "end"), { code: "ECONNRESET" }),
    hasty.close(),
  ]);
});

Deno.test("a path is proven without a byte, and the local program sees a quiet connection", async () => {
  const seen = Promise.withResolvers<string>();
  await using local = await listen((socket) => {
    seen.resolve(read(socket));
    socket.once("end", () => socket.end());
  });
  await using agent = await AgentProcess.start();
  await using link = await agent.link();
  await link.attach(agent.port, () => connectLocal(portOf(local)));
  await provePath(link, { port: agent.port });
  assert.equal(await seen.promise, "");
});

Deno.test("a path that does not work names the hop", async () => {
  await using local = await answering("local");
  await using agent = await AgentProcess.start();
  await using link = await agent.link();
  const [closedPort] = await freePorts(1) as [number];
  const prove = (port: number, allowRefusedLocal = false) =>
    provePath(link, { port, timeoutMs: 500, allowRefusedLocal });
  const failure = (hop: RegExp) => ({ code: "PATH_NOT_PROVEN", message: hop });

  await assert.rejects(prove(closedPort), failure(/agent did not open/));
  await assert.rejects(
    prove(agent.port),
    failure(/did not pass it to this client/),
  );
  await link.attach(agent.port, () => connectLocal(closedPort));
  await assert.rejects(prove(agent.port), failure(/local port refused/));
  await prove(agent.port, true);
  await link.attach(agent.port, () => new Promise(() => {}));
  await assert.rejects(prove(agent.port), failure(/local port did not answer/));
  await using newer = await agent.link();
  await newer.attach(agent.port, () => connectLocal(portOf(local)));
  await assert.rejects(
    prove(agent.port),
    failure(/did not pass it to this client/),
  );
});

Deno.test("the local program may listen on IPv6 only", async () => {
  const server = createServer((socket) => socket.end()).listen(0, "::1");
  await once(server, "listening");
  const port = portOf(server);
  const socket = await connectLocal(port);
  assert.equal(socket.remoteAddress, "::1");
  socket.destroy();
  await server[Symbol.asyncDispose]();
  await assert.rejects(connectLocal(port), {
    code: "ECONNREFUSED",
    message: /127/,
  });
});
