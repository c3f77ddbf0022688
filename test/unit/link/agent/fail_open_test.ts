import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { connectLocal } from "../../../../src/link/client/connect_local.ts";
import {
  AgentProcess,
  answering,
  exchange,
  freePorts,
  listen,
  portOf,
} from "./agent_process.ts";
import { testEachProtocol } from "./test_each_protocol.ts";
import { SilentProxy } from "./silent_proxy.ts";

testEachProtocol(
  "connections go to the fallback before a client attaches and after it detached",
  async (protocol) => {
    await using original = await answering("original");
    await using local = await answering("local");
    await using agent = await AgentProcess.start({
      protocol,
      fallback: fallbackTo(original),
    });
    assert.equal(await exchange(agent.port, "abc"), "original 3");
    await using link = await agent.link();
    assert.equal(await exchange(agent.port, "abc"), "original 3");
    await link.attach(agent.port, () => connectLocal(portOf(local)));
    assert.equal(await exchange(agent.port, "abc"), "local 3");
    await link.detach(agent.port);
    assert.equal(await exchange(agent.port, "abc"), "original 3");
  },
);

testEachProtocol(
  "connections go to the fallback as soon as close() of the link has begun",
  async (protocol) => {
    await using original = await answering("original");
    await using local = await answering("local");
    await using agent = await AgentProcess.start({
      protocol,
      fallback: fallbackTo(original),
    });
    const link = await agent.link();
    await link.attach(agent.port, () => connectLocal(portOf(local)));
    await link.close();
    assert.equal(await link.closed, undefined);
    assert.equal(await exchange(agent.port, "abc"), "original 3");
  },
);

testEachProtocol(
  "a killed client does not take the port with it",
  async (protocol) => {
    await using original = await answering("original");
    await using local = await answering("local");
    await using agent = await AgentProcess.start({
      protocol,
      fallback: fallbackTo(original),
    });
    const client = spawn(Deno.execPath(), [
      "run",
      "-A",
      fileURLToPath(new URL("attached_client.ts", import.meta.url)),
      ...[
        agent.port,
        agent.config.sshPort,
        portOf(local),
        agent.hostKeys.publicKey,
        protocol,
      ].map(String),
    ], { stdio: ["pipe", "ignore", "ignore"] });
    client.stdin!.end(agent.clientKeys.privateKey);
    await agent.logged("client attached");
    assert.equal(await exchange(agent.port, "abc"), "local 3");
    client.kill("SIGKILL");
    await once(client, "exit");
    await agent.logged("client detached");
    assert.equal(await exchange(agent.port, "abc"), "original 3");
  },
);

testEachProtocol(
  "a client that falls silent loses its ports within the time limit",
  async (protocol) => {
    await using original = await answering("original");
    await using local = await answering("local");
    const clientTimeoutMs = 2000;
    await using agent = await AgentProcess.start({
      protocol,
      fallback: fallbackTo(original),
      clientTimeoutMs,
    });
    await using proxy = await SilentProxy.to(agent.config.sshPort);
    const link = await agent.link({ via: proxy.port, deadAfterMs: 60_000 });
    await link.attach(agent.port, () => connectLocal(portOf(local)));
    assert.equal(await exchange(agent.port, "abc"), "local 3");
    proxy.silence();
    const silentSince = performance.now();
    // Sent into the silence: kept until the client is given up, then served whole.
    assert.equal(await exchange(agent.port, "abc"), "original 3");
    const tookMs = performance.now() - silentSince;
    assert.ok(tookMs < clientTimeoutMs + 1000, `noticed after ${tookMs} ms`);
    assert.ok(tookMs > clientTimeoutMs / 2, `gave up after only ${tookMs} ms`);
  },
);

testEachProtocol(
  "an idle client that only pings keeps its ports",
  async (protocol) => {
    await using local = await answering("local");
    await using agent = await AgentProcess.start({
      protocol,
      clientTimeoutMs: 600,
    });
    await using link = await agent.link({ pingIntervalMs: 150 });
    await link.attach(agent.port, () => connectLocal(portOf(local)));
    await new Promise((resolve) => setTimeout(resolve, 1800)); // three time limits of nothing
    assert.equal(await exchange(agent.port, "abc"), "local 3");
  },
);

testEachProtocol(
  "a refused local port sends the connection to the fallback with all its bytes",
  async (protocol) => {
    await using original = await answering("original");
    await using agent = await AgentProcess.start({
      protocol,
      fallback: fallbackTo(original),
    });
    await using link = await agent.link();
    const [closedPort] = await freePorts(1);
    const refused: unknown[] = [];
    await link.attach(agent.port, () => connectLocal(closedPort!), {
      onConnection: (_origin, error) =>
        refused.push((error as { code?: string }).code),
    });
    assert.equal(
      await exchange(agent.port, "x".repeat(100_000)),
      "original 100000",
    );
    assert.deepEqual(refused, ["ECONNREFUSED"]);
  },
);

testEachProtocol(
  "a fallback that keeps clients is asked at the client's own port of several",
  async (protocol) => {
    await using original = await answering("original");
    const [closedPort] = await freePorts(1);
    const affinity = { first: portOf(original), count: 1 };
    await using agent = await AgentProcess.start({
      protocol,
      fallback: { host: "127.0.0.1", port: closedPort!, affinity },
    });
    assert.equal(await exchange(agent.port, "abc"), "original 3");
  },
);

testEachProtocol(
  "without a client and a fallback connections are reset",
  async (protocol) => {
    await using agent = await AgentProcess.start({ protocol });
    await assert.rejects(exchange(agent.port, "abc"), { code: "ECONNRESET" });
  },
);

testEachProtocol(
  "the newest client wins, and an older one's end does not disturb it",
  async (protocol) => {
    await using first = await answering("first");
    await using second = await answering("second");
    await using agent = await AgentProcess.start({ protocol });
    const older = await agent.link();
    await older.attach(agent.port, () => connectLocal(portOf(first)));
    const open = connect({
      port: agent.port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    open.write("ab");
    await once(first, "connection");
    await using newer = await agent.link();
    await newer.attach(agent.port, () => connectLocal(portOf(second)));
    assert.equal(await exchange(agent.port, "abc"), "second 3");
    open.end("c");
    assert.equal(String((await once(open, "data"))[0]), "first 3");
    await older.close();
    assert.equal(await exchange(agent.port, "abc"), "second 3");
  },
);

testEachProtocol(
  "a port that is not configured is refused",
  async (protocol) => {
    await using agent = await AgentProcess.start({ protocol });
    await using link = await agent.link();
    await assert.rejects(link.attach(1, () => connectLocal(1)), {
      code: "ATTACH_REFUSED",
    });
  },
);

testEachProtocol(
  "SIGTERM sends new connections to the fallback, lingers, and exits with 0",
  async (protocol) => {
    await using original = await answering("original");
    await using local = await answering("local");
    const lingerMs = 1500;
    await using agent = await AgentProcess.start({
      protocol,
      fallback: fallbackTo(original),
      lingerMs,
    });
    await using link = await agent.link();
    await link.attach(agent.port, () => connectLocal(portOf(local)));
    assert.equal(await agent.ready(), 200);
    const stopped = performance.now();
    // Not ChildProcess.kill, after which Deno reports the signal instead of the exit code.
    process.kill(agent.process.pid!, "SIGTERM");
    const exited = once(agent.process, "exit");
    await agent.logged("stopping");
    assert.equal(await exchange(agent.port, "abc"), "original 3");
    assert.equal(await agent.ready(), 503);
    await assert.rejects(link.attach(agent.port, () => connectLocal(1)), {
      code: "ATTACH_REFUSED",
    });
    assert.deepEqual(await exited, [0, null]);
    assert.ok(performance.now() - stopped >= lingerMs - 50);
  },
);

testEachProtocol(
  "after SIGTERM the agent stays for as long as connections come, but not for ever",
  async (protocol) => {
    await using original = await answering("original");
    const lingerMs = 600;
    const mostLingerMs = 2_000;
    await using agent = await AgentProcess.start({
      protocol,
      fallback: fallbackTo(original),
      lingerMs,
      mostLingerMs,
    });
    const stopped = performance.now();
    process.kill(agent.process.pid!, "SIGTERM");
    const exited = once(agent.process, "exit");
    await agent.logged("stopping");
    let answered = 0;
    await assert.rejects(async () => {
      for (;;) {
        assert.equal(await exchange(agent.port, "abc"), "original 3");
        answered = performance.now() - stopped;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    assert.deepEqual(await exited, [0, null]);
    assert.ok(answered > mostLingerMs - lingerMs, `${answered} ms`);
    assert.ok(performance.now() - stopped >= mostLingerMs - 50);
  },
);

testEachProtocol(
  "ready mode attached is ready only while every port is served",
  async (protocol) => {
    const [one, two] = await freePorts(2) as [number, number];
    await using local = await listen(() => {});
    await using agent = await AgentProcess.start({
      protocol,
      ready: "attached",
      ports: [{ port: one }, { port: two }],
    });
    await using link = await agent.link();
    await link.attach(one, () => connectLocal(portOf(local)));
    assert.equal(await agent.ready(), 503);
    assert.equal((await agent.status()).attached, true);
    await link.attach(two, () => connectLocal(portOf(local)));
    assert.equal(await agent.ready(), 200);
  },
);

function fallbackTo(server: Parameters<typeof portOf>[0]) {
  return { host: "127.0.0.1", port: portOf(server) };
}
