import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connectLocal } from "../../../../src/link/client/connect_local.ts";
import type { Link } from "../../../../src/link/client/link.ts";
import { SilentProxy } from "./silent_proxy.ts";
import {
  AgentProcess,
  answering,
  exchange,
  listen,
  portOf,
  read,
} from "./agent_process.ts";
import { testEachProtocol } from "./test_each_protocol.ts";

const MIB = 1024 * 1024;

testEachProtocol(
  "a half-closed request gets its answer, handed over and dialled",
  async (protocol) => {
    await using local = await answering("local");
    await using agent = await AgentProcess.start({ protocol });
    await using link = await serving(agent, portOf(local));
    assert.equal(
      await exchange(agent.port, "x".repeat(300_000)),
      "local 300000",
    );
    const dialled = await link.dial("127.0.0.1", portOf(local));
    dialled.end("abcd");
    assert.equal(await read(dialled), "local 4");
  },
);

testEachProtocol(
  "an answer that ends first leaves the other direction open",
  async (protocol) => {
    const received = Promise.withResolvers<string>();
    await using local = await listen((socket) => {
      socket.end("hello");
      received.resolve(read(socket));
    });
    await using agent = await AgentProcess.start({ protocol });
    await using _link = await serving(agent, portOf(local));
    const socket = connect({
      port: agent.port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    assert.equal(await read(socket), "hello");
    socket.end("after the end");
    assert.equal(await received.promise, "after the end");
  },
);

testEachProtocol(
  "HTTP/1.0 answers that end by closing arrive whole",
  async (protocol) => {
    const body = "y".repeat(1_000_000);
    await using local = await listen((socket) =>
      void socket.once(
        "data",
        () => socket.end(`HTTP/1.0 200 OK\r\n\r\n${body}`),
      )
    );
    await using agent = await AgentProcess.start({ protocol });
    await using _link = await serving(agent, portOf(local));
    const response = await fetch(`http://127.0.0.1:${agent.port}/`);
    assert.equal((await response.text()).length, body.length);
  },
);

testEachProtocol(
  "a reset inside the pod resets the local connection, and the other way round",
  async (protocol) => {
    await using local = await listen(() => {});
    await using agent = await AgentProcess.start({ protocol });
    await using link = await serving(agent, portOf(local));
    const fromPod = connect({
      port: agent.port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    const [atHome] = await once(local, "connection") as [Socket];
    fromPod.write("abc");
    await once(atHome, "data");
    fromPod.resetAndDestroy();
    assert.equal((await once(atHome, "error"))[0].code, "ECONNRESET");

    const again = connect({
      port: agent.port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    const [second] = await once(local, "connection") as [Socket];
    second.resetAndDestroy();
    await assert.rejects(once(again, "end"), { code: "ECONNRESET" });

    const [dialled, [third]] = await Promise.all([
      link.dial("127.0.0.1", portOf(local)),
      once(local, "connection") as Promise<[Socket]>,
    ]);
    third.resetAndDestroy();
    await assert.rejects(once(dialled, "end"), { code: "CONNECTION_RESET" });
  },
);

testEachProtocol(
  "2000 connections one after another and 200 at once are all served and leave nothing",
  async (protocol) => {
    await using local = await answering("local");
    await using agent = await AgentProcess.start({ protocol });
    await using link = await serving(agent, portOf(local));
    await serveMany(agent, 100);
    const before = {
      files: await agent.openFiles(),
      memory: await agent.memory(),
    };
    await serveMany(agent, 2000);
    const all = await Promise.all(
      Array.from({ length: 200 }, () => exchange(agent.port, "abc")),
    );
    assert.deepEqual(new Set(all), new Set(["local 3"]));
    assert.equal(link.connections, 0);
    assert.deepEqual((await agent.status()).connections, {
      client: 0,
      fallback: 0,
    });
    const after = {
      files: await fewestFiles(agent, before.files),
      memory: await agent.memory(),
    };
    assert.equal(after.files, before.files);
    assert.ok(
      after.memory < before.memory + 40,
      `${before.memory} → ${after.memory} MiB`,
    );
  },
);

testEachProtocol("moving data leaves no memory behind", async (protocol) => {
  await using local = await listen((socket) =>
    void socket.resume().on("end", () => socket.end())
  );
  await using agent = await AgentProcess.start({ protocol });
  await using link = await agent.link();
  const stream = await link.dial("127.0.0.1", portOf(local));
  // What is kept is kept per packet, and each write is one.
  const sendPackets = async (count: number) => {
    for (let i = 0; i < count; i += 2000) {
      for (let n = 0; n < 2000; n++) stream.write("x");
      // Each batch waits for the agent, or a busy machine would queue up more than it can chew.
      await new Promise<void>((resolve, reject) => {
        stream.write("x", (error) => error ? reject(error) : resolve());
      });
      await agent.status();
    }
  };
  await sendPackets(40_000);
  // what is kept is kept each time; a heap that was collected late grows once or twice
  const grown: number[] = [];
  do {
    const before = await agent.memory();
    await sendPackets(80_000);
    grown.push(await agent.memory() - before);
  } while (grown.at(-1)! >= 20 && grown.length < 4);
  assert.ok(grown.at(-1)! < 20, `${grown} MiB more`);
  stream.end();
  await once(stream.resume(), "end");
});

testEachProtocol(
  "64 MiB each way arrive unchanged, at the same time",
  async (protocol) => {
    const chunk = Buffer.from(crypto.getRandomValues(new Uint8Array(65536)));
    const size = 64 * MIB;
    const expected = createHash("sha256");
    for (let sent = 0; sent < size; sent += chunk.length) {
      expected.update(
        chunk,
      );
    }
    const digest = expected.digest("hex");
    const atHome = Promise.withResolvers<string>();
    await using local = await listen((socket) => {
      atHome.resolve(digestOf(socket));
      send(socket, chunk, size);
    });
    await using agent = await AgentProcess.start({ protocol });
    await using _link = await serving(agent, portOf(local));
    const socket = connect({
      port: agent.port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    send(socket, chunk, size);
    assert.deepEqual(await Promise.all([atHome.promise, digestOf(socket)]), [
      digest,
      digest,
    ]);
  },
);

testEachProtocol(
  "slow readers hold back the sender instead of filling memory",
  async (protocol) => {
    const chunk = Buffer.alloc(65536);
    const sent: number[] = [];
    await using local = await listen((socket) => {
      const index = sent.push(0) - 1;
      const more = () => {
        do sent[index]! += chunk.length; while (socket.write(chunk));
      };
      socket.on("drain", more);
      more();
    });
    await using agent = await AgentProcess.start({ protocol });
    await using link = await serving(agent, portOf(local));
    const aloneMs = await download(link, 32 * MIB);
    const sockets = Array.from(
      { length: 8 },
      () => connect({ port: agent.port, host: "127.0.0.1" }).pause(),
    );
    // Others are served meanwhile: their slowness is their own.
    await settled(() => sent.reduce((a, b) => a + b, 0));
    assert.equal(sent.length, 8);
    for (const bytes of sent) {
      assert.ok(bytes < 24 * MIB, `${bytes / MIB} MiB were taken`);
    }
    const heldBackMs = await download(link, 32 * MIB);
    // they wait for ever: to be held up by them would have no end
    assert.ok(
      heldBackMs < 10 * aloneMs + 2_000,
      `32 MiB took ${heldBackMs} ms, and ${aloneMs} ms alone`,
    );
    assert.ok(await agent.memory() < 250, `${await agent.memory()} MiB`);
    for (const socket of sockets) socket.destroy();
  },
);

testEachProtocol(
  "a stalled link holds back its channels instead of queueing their windows",
  async (protocol) => {
    await using sink = await listen((socket) =>
      void socket.resume().on("end", () => socket.end())
    );
    await using agent = await AgentProcess.start({
      protocol,
      clientTimeoutMs: 60_000,
    });
    await using proxy = await SilentProxy.to(agent.config.sshPort);
    const link = await agent.link({ via: proxy.port, deadAfterMs: 60_000 });
    const streams = await Promise.all(
      Array.from({ length: 24 }, () => link.dial("127.0.0.1", portOf(sink))),
    );
    proxy.silence();
    const chunk = Buffer.alloc(65536);
    let accepted = 0;
    for (const stream of streams) {
      const more = () => {
        stream.write(chunk, (error) => {
          if (error) return;
          accepted += chunk.length;
          more();
        });
      };
      more();
    }
    await settled(() => accepted);
    // The kernel's buffers take some; every channel's window would be 48 MiB.
    assert.ok(accepted < 24 * MIB, `${accepted / MIB} MiB were taken`);
    await link.close();
  },
);

/** How long it takes to have so much sent, in milliseconds. */
async function download(link: Link, size: number): Promise<number> {
  await using source = await listen((socket) =>
    void send(socket.resume(), Buffer.alloc(65536), size)
  );
  const begun = performance.now();
  const stream = await link.dial("127.0.0.1", portOf(source));
  let received = 0;
  stream.on("data", (chunk) => received += chunk.length);
  await once(stream, "end");
  stream.end();
  assert.equal(received, size);
  return performance.now() - begun;
}

/** Open files of the agent, once so few are left, or after ten seconds. */
async function fewestFiles(
  agent: AgentProcess,
  expected: number,
): Promise<number> {
  // The page itself is served over a connection that is kept open for a while after the last call.
  const deadline = performance.now() + 10_000;
  let files = await agent.openFiles();
  while (files > expected && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    files = await agent.openFiles();
  }
  return files;
}

/** A link that hands the agent's port to a local one. */
async function serving(
  agent: AgentProcess,
  localPort: number,
): Promise<Link> {
  const link = await agent.link();
  await link.attach(agent.port, () => connectLocal(localPort));
  return link;
}

async function serveMany(agent: AgentProcess, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    assert.equal(await exchange(agent.port, "abc"), "local 3");
  }
}

async function digestOf(stream: Duplex): Promise<string> {
  const hash = createHash("sha256");
  stream.on("data", (chunk) => hash.update(chunk));
  await once(stream, "end");
  return hash.digest("hex");
}

async function send(
  stream: Duplex,
  chunk: Uint8Array,
  size: number,
): Promise<void> {
  for (let sent = 0; sent < size; sent += chunk.length) {
    if (!stream.write(chunk)) await once(stream, "drain");
  }
  stream.end();
}

/** Waits until a counter has stood still for half a second. */
async function settled(counter: () => number): Promise<void> {
  for (let last = -1; last !== counter();) {
    last = counter();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
