// The real agent and the real client, each a process of its own, under load.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { AgentProcess, exchange, listen, portOf } from "./agent_process.ts";
import { ClientProcess } from "./client_process.ts";
import { CuttingProxy } from "./cutting_proxy.ts";
import { Memory } from "./memory.ts";

const CHUNK = Buffer.alloc(65536, 7);
const SLOW_READERS = 100;
const MIB = 1024 * 1024;
const AT_ONCE = 1000;
const WEBSOCKETS = 500;
/** Silence that a proxy between cuts. */
const CUT_AFTER_MS = 3_000;
const IDLE_MS = 8_000;
const UPLOAD_MIB = Number(Deno.env.get("KTCTL_TEST_UPLOAD_MIB") ?? 512);

Deno.test(`${AT_ONCE} connections at once are all served, each while all others are open`, async () => {
  const waiting: (() => void)[] = [];
  await using local = await listen((socket) => {
    socket.resume().on("end", () => {
      waiting.push(() => socket.end("served"));
      if (waiting.length === AT_ONCE) waiting.forEach((answer) => answer());
    });
  });
  await using agent = await AgentProcess.start();
  await using client = await ClientProcess.attach(agent, portOf(local));
  await using memory = Memory.watch({ agent, client });
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, () => exchange(agent.port, "abc")),
  );
  assert.deepEqual(new Set(answers), new Set(["served"]));
  memory.tell(`${AT_ONCE} connections at once`);
  assert.ok(memory.agent < 300, `the agent took ${memory.agent} MiB`);
  assert.ok(memory.client < 300, `the client took ${memory.client} MiB`);
  while ((await agent.status()).connections.client > 0) await pause(20);
});

Deno.test(`${WEBSOCKETS} WebSockets outlive silence that a proxy between laptop and agent cuts`, async () => {
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => {
      // no pings of its own: the connections are to be silent
      const { socket, response } = Deno.upgradeWebSocket(request, {
        idleTimeout: 0,
      });
      socket.onmessage = ({ data }) => socket.send(`heard ${data}`);
      return response;
    },
  );
  await using agent = await AgentProcess.start();
  await using proxy = await CuttingProxy.to(agent.config.sshPort, CUT_AFTER_MS);
  await using client = await ClientProcess.attach(agent, server.addr.port, {
    via: proxy.port,
  });
  // the proxy does cut: a connection to it that is not the link's
  connect(proxy.port, "127.0.0.1").on("error", () => {}).resume();
  const sockets = await Promise.all(
    Array.from({ length: WEBSOCKETS }, () => openWebSocket(agent.port)),
  );
  await pause(IDLE_MS);
  assert.equal(proxy.cut, 1);
  const words = await Promise.all(sockets.map((socket, at) => {
    const answer = once(socket, "message") as Promise<[MessageEvent]>;
    socket.send(String(at));
    return answer;
  }));
  assert.deepEqual(
    words.map(([{ data }]) => data),
    words.map((_, at) => `heard ${at}`),
  );
  assert.ok(client.isAlive);
  await Promise.all(sockets.map((socket) => {
    const closed = once(socket, "close");
    socket.close();
    return closed;
  }));
});

Deno.test(`an upload of ${UPLOAD_MIB} MiB takes no memory by its length`, async () => {
  await using agent = await AgentProcess.start();
  let received = 0;
  const whole = Promise.withResolvers<void>();
  await using local = await listen((socket) => {
    socket.on("data", (chunk) => received += chunk.length);
    socket.on("end", () => {
      socket.end();
      whole.resolve();
    });
  });
  await using client = await ClientProcess.attach(agent, portOf(local));
  await using memory = Memory.watch({ agent, client });
  const begun = performance.now();
  const socket = connect({ port: agent.port, host: "127.0.0.1" });
  await send(socket, UPLOAD_MIB * MIB);
  await whole.promise;
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  assert.equal(received, UPLOAD_MIB * MIB);
  memory.tell(`${UPLOAD_MIB} MiB in ${seconds} s`);
  assert.ok(memory.agent < 200, `the agent took ${memory.agent} MiB`);
  assert.ok(memory.client < 200, `the client took ${memory.client} MiB`);
});

for (const side of ["laptop", "cluster"] as const) {
  Deno.test(`${SLOW_READERS} readers of the ${side} that stand still take bounded memory, and hold nobody up`, async () => {
    const sockets: Socket[] = [];
    let sent = 0;
    const pour = (socket: Socket) => {
      sockets.push(socket);
      const more = () => {
        do sent += CHUNK.length; while (socket.write(CHUNK));
      };
      socket.on("drain", more).on("error", () => {});
      more();
    };
    const stand = (socket: Socket) => {
      sockets.push(socket.pause());
    };
    let isFull = false;
    await using local = await listen((socket) => {
      if (isFull) socket.resume().on("end", () => socket.end("served"));
      else if (side === "laptop") stand(socket);
      else pour(socket);
    });
    await using agent = await AgentProcess.start();
    await using client = await ClientProcess.attach(agent, portOf(local));
    await using memory = Memory.watch({ agent, client });
    for (let n = 0; n < SLOW_READERS; n++) {
      const socket = connect({ port: agent.port, host: "127.0.0.1" });
      socket.on("error", () => {});
      if (side === "laptop") pour(socket);
      else stand(socket);
    }
    await settled(() => sent);
    isFull = true;
    assert.equal(await exchange(agent.port, "abc"), "served");
    for (const socket of sockets) socket.destroy();
    memory.tell(`${SLOW_READERS} readers of the ${side} that stand still`);
    const [reading, sending] = side === "laptop"
      ? [memory.client, memory.agent]
      : [memory.agent, memory.client];
    assert.ok(reading < 350, `who reads took ${reading} MiB`);
    assert.ok(sending < 600, `who sends took ${sending} MiB`);
  });
}

/** Waits until a counter has stood still for two seconds. */
async function settled(counter: () => number): Promise<void> {
  let last = -1;
  for (let still = 0; still < 4; still++) {
    if (last !== counter()) still = 0;
    last = counter();
    await pause(500);
  }
}

async function send(socket: Socket, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    if (!socket.write(CHUNK)) await once(socket, "drain");
  }
  socket.end();
}

async function openWebSocket(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "open");
  return socket;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
