// The SOCKS5 server before the real agent, with curl and with clients of bad manners.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { pause } from "../../../src/core/backoff.ts";
import { exec } from "../../../src/core/exec.ts";
import { LinkError } from "../../../src/core/errors.ts";
import type { ClusterLink } from "../../../src/link/wire/cluster_link.ts";
import { formatSocksAddress } from "../../../src/net/socks/socks_address.ts";
import { SocksServer } from "../../../src/net/socks/socks_server.ts";
import { LinkPool } from "../../../src/link/client/link_pool.ts";
import {
  AgentProcess,
  freePorts,
  listen,
  portOf,
  read,
} from "../link/agent/agent_process.ts";
import { udpPeer } from "../link/agent/udp_peer.ts";

interface Way extends AsyncDisposable {
  readonly agent: AgentProcess;
  readonly socks: SocksServer;
}

/** The way into the "cluster": this machine's loopback, as the agent sees it. */
async function openWay(): Promise<Way> {
  const agent = await AgentProcess.start({ ports: [] });
  const link = await agent.link();
  const pool = new LinkPool();
  await pool.use(link);
  const socks = await SocksServer.start({ link: pool, port: 0 });
  return {
    agent,
    socks,
    async [Symbol.asyncDispose]() {
      await socks[Symbol.asyncDispose]();
      await link.close();
      await agent[Symbol.asyncDispose]();
    },
  };
}

/** A server whose link does as it is told. */
function socksWith(link: Partial<ClusterLink>): Promise<SocksServer> {
  return SocksServer.start({ link: link as ClusterLink, port: 0 });
}

function open(port: number): Socket {
  return connect({
    port,
    host: "127.0.0.1",
    allowHalfOpen: true,
    noDelay: true,
  });
}

/** The next bytes; what comes after them stays in the socket. */
async function take(socket: Socket, length: number): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < length) {
    const came = once(socket, "data");
    socket.resume();
    const [chunk] = await Promise.race([
      came,
      once(socket, "close").then(() => assert.fail("closed too early")),
    ]);
    socket.pause();
    bytes = Buffer.concat([bytes, chunk]);
  }
  socket.unshift(bytes.subarray(length));
  return new Uint8Array(bytes.subarray(0, length));
}

function readRest(socket: Socket): Promise<string> {
  const text = read(socket);
  socket.resume(); // take() has paused it
  return text;
}

/** However it comes about. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

const HELLO = [5, 1, 0];

function request(host: string, port: number, command = 1): number[] {
  return [5, command, 0, ...formatSocksAddress({ host, port })];
}

/** The code of the reply to one request. */
async function replyTo(port: number, bytes: number[]): Promise<number> {
  const socket = open(port);
  socket.write(Uint8Array.from([...HELLO, ...bytes]));
  const [, , version, code] = await take(socket, 12);
  assert.equal(version, 5);
  socket.destroy();
  return code!;
}

for (const host of ["127.0.0.1", "localhost"]) {
  Deno.test(`curl reaches ${host} by SOCKS5, names resolved in the pod`, async () => {
    await using way = await openWay();
    const body = "x".repeat(300_000);
    const server = createServer((asked, response) => {
      asked.resume().once("end", () => response.end(body));
    });
    server.listen(0, "localhost");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const { code, stdout, stderr } = await exec("curl", [
      "-sS",
      "--max-time",
      "10",
      "--socks5-hostname",
      `127.0.0.1:${way.socks.port}`,
      "--data-binary",
      "@-",
      `http://${host}:${port}/`,
    ], { stdin: "y".repeat(300_000) });
    assert.deepEqual([code, stderr, stdout === body], [0, "", true]);
    server.close();
  });
}

Deno.test("what a client sends together with its request is not lost", async () => {
  await using way = await openWay();
  await using server = await listen((socket) => void socket.pipe(socket));
  const early = crypto.getRandomValues(new Uint8Array(60_000));
  const socket = open(way.socks.port);
  socket.end(
    Buffer.concat([
      Uint8Array.from([...HELLO, ...request("127.0.0.1", portOf(server))]),
      early,
    ]),
  );
  await take(socket, 12);
  const chunks: Uint8Array[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).equals(early));
});

Deno.test("a request that comes byte by byte is served", async () => {
  await using way = await openWay();
  await using server = await listen((socket) => void socket.end("hello"));
  const socket = open(way.socks.port);
  for (const byte of [...HELLO, ...request("localhost", portOf(server))]) {
    await new Promise((resolve) =>
      socket.write(Uint8Array.of(byte), () => setImmediate(resolve))
    );
  }
  await take(socket, 12);
  assert.equal(await readRest(socket), "hello");
  socket.end();
});

Deno.test("a half-closed request gets its answer", async () => {
  await using way = await openWay();
  await using server = await listen((socket) => {
    read(socket).then((text) => socket.end(`${text.length} bytes`));
  });
  const socket = open(way.socks.port);
  socket.write(
    Uint8Array.from([...HELLO, ...request("127.0.0.1", portOf(server))]),
  );
  await take(socket, 12);
  socket.end("abc");
  assert.equal(await readRest(socket), "3 bytes");
});

Deno.test("a reset in the cluster resets the client, and the other way round", async () => {
  await using way = await openWay();
  const taken = Promise.withResolvers<Socket>();
  await using server = await listen((socket) => taken.resolve(socket));
  const bytes = [...HELLO, ...request("127.0.0.1", portOf(server))];
  const first = open(way.socks.port);
  first.write(Uint8Array.from(bytes));
  await take(first, 12);
  (await taken.promise).resetAndDestroy();
  await assert.rejects(once(first.resume(), "end"), { code: "ECONNRESET" });

  const taken2 = Promise.withResolvers<Socket>();
  await using server2 = await listen((socket) => taken2.resolve(socket));
  const second = open(way.socks.port);
  second.write(
    Uint8Array.from([...HELLO, ...request("127.0.0.1", portOf(server2))]),
  );
  await take(second, 12);
  const inCluster = (await taken2.promise).resume();
  second.resetAndDestroy();
  await assert.rejects(once(inCluster, "end"), { code: "ECONNRESET" });
});

Deno.test("nothing is said to be connected before it is", async () => {
  const dialling = Promise.withResolvers<never>();
  const asked = Promise.withResolvers<string>();
  await using socks = await socksWith({
    dial: (host, port) => {
      asked.resolve(`${host}:${port}`);
      return dialling.promise;
    },
  });
  const socket = open(socks.port);
  socket.write(Uint8Array.from([...HELLO, ...request("web.shop", 80)]));
  assert.deepEqual([...await take(socket, 2)], [5, 0]);
  assert.equal(await asked.promise, "web.shop:80");
  assert.equal(socket.read(1), null);
  dialling.reject(new LinkError("DIAL_REFUSED", "Refused"));
  assert.equal((await take(socket, 10))[1], 5);
  socket.destroy();
});

Deno.test("a client that goes ends the connection that is being made for it", async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  await using socks = await socksWith({
    dial: (_host, _port, options) => {
      asked.resolve(options!.signal!);
      return new Promise(() => {});
    },
  });
  const socket = open(socks.port);
  socket.write(Uint8Array.from([...HELLO, ...request("10.0.0.1", 80)]));
  const signal = await asked.promise;
  socket.resetAndDestroy();
  if (!signal.aborted) await once(signal, "abort");
});

Deno.test("a closed port is refused, an unknown name is not found", async () => {
  await using way = await openWay();
  const [port] = await freePorts(1) as [number];
  const asked = (host: string) => replyTo(way.socks.port, request(host, port));
  assert.equal(await asked("127.0.0.1"), 5);
  assert.equal(await asked("::1"), 5);
  assert.equal(await asked("nothing.invalid"), 4);
});

for (
  const [code, reply] of [
    ["DIAL_UNREACHABLE", 4],
    ["DIAL_TIMEOUT", 6],
    ["DIAL_FAILED", 1],
    ["LINK_DOWN", 3],
    ["LINK_LOST", 3],
  ] as const
) {
  Deno.test(`${code} is reply ${reply}`, async () => {
    await using socks = await socksWith({
      dial: () => Promise.reject(new LinkError(code, "Failed")),
    });
    assert.equal(await replyTo(socks.port, request("10.0.0.1", 80)), reply);
  });
}

for (
  const [title, bytes, reply] of [
    ["BIND", request("10.0.0.1", 80, 2), 7],
    ["an unknown command", request("10.0.0.1", 80, 9), 7],
    ["an unknown type of address", [5, 1, 0, 2, 1, 2, 3, 4, 0, 80], 8],
    ["a name that none can have", [5, 1, 0, 3, 2, 0, 255, 0, 80], 4],
  ] as const
) {
  Deno.test(`${title} is answered with ${reply}`, async () => {
    await using socks = await socksWith({});
    assert.equal(await replyTo(socks.port, [...bytes]), reply);
  });
}

Deno.test("a client that insists on a login is told that there is none", async () => {
  await using socks = await socksWith({});
  const socket = open(socks.port);
  socket.write(Uint8Array.of(5, 2, 1, 2));
  assert.deepEqual([...await take(socket, 2)], [5, 255]);
  await once(socket.resume(), "end");
  socket.end();
});

Deno.test("half a request costs no processor time while it waits", async () => {
  await using socks = await socksWith({});
  const socket = open(socks.port);
  socket.write(Uint8Array.of(5, 1, 0, 5));
  await take(socket, 2);
  const before = process.cpuUsage();
  await pause(500, AbortSignal.timeout(5000));
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 250_000, `${user + system} µs of 500 000`);
  socket.destroy();
});

for (
  const [title, bytes] of [
    ["HTTP", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
    ["SOCKS4", Uint8Array.of(4, 1, 0, 80, 127, 0, 0, 1, 0)],
    ["a megabyte of noise", new Uint8Array(1 << 20).fill(0xaa)],
    ["half a request", Uint8Array.of(5, 1, 0, 5, 1)],
  ] as const
) {
  Deno.test(`a client that speaks ${title} is dropped`, async () => {
    await using socks = await socksWith({});
    const socket = open(socks.port).on("error", () => {});
    socket.end(bytes);
    socket.resume();
    await closeOf(socket);
  });
}

Deno.test("a client that says nothing is dropped in the end", async () => {
  await using socks = await socksWith({});
  const socket = open(socks.port).on("error", () => {});
  const since = performance.now();
  socket.write(Uint8Array.from([5, 1]));
  await closeOf(socket.resume());
  const ms = performance.now() - since;
  assert.ok(ms > 9_000 && ms < 12_000, `${ms} ms`);
});

Deno.test("a taken port is named, and how to choose another", async () => {
  await using taken = await listen(() => {});
  const port = portOf(taken);
  const starting = SocksServer.start({ link: {} as ClusterLink, port });
  await assert.rejects(starting, {
    code: "PORT_TAKEN",
    exitCode: 7,
    message: new RegExp(`127\\.0\\.0\\.1:${port}: another program`),
    hint: "Choose another port.",
  });
});

Deno.test("an address that is not this machine's is refused", async () => {
  const starting = SocksServer.start({
    link: {} as ClusterLink,
    host: "192.0.2.1",
    port: 0,
  });
  await assert.rejects(starting, { code: "ADDRESS_UNKNOWN" });
});

Deno.test("closing the server resets its connections", async () => {
  await using way = await openWay();
  await using server = await listen(() => {});
  const socket = open(way.socks.port);
  socket.write(
    Uint8Array.from([...HELLO, ...request("127.0.0.1", portOf(server))]),
  );
  await take(socket, 12);
  const ended = assert.rejects(once(socket.resume(), "end"), {
    code: "ECONNRESET",
  });
  await way.socks[Symbol.asyncDispose]();
  await ended;
});

/** An association, and a socket to use it with. */
async function associate(port: number) {
  const control = open(port);
  control.write(
    Uint8Array.from([...HELLO, ...request("0.0.0.0", 0, 3)]),
  );
  const reply = (await take(control, 12)).subarray(2);
  assert.deepEqual([...reply.subarray(0, 8)], [5, 0, 0, 1, 127, 0, 0, 1]);
  const relayPort = (reply[8]! << 8) | reply[9]!;
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    control,
    relayPort,
    socket,
    /** Resolves when it is sent: several sent at once would change places. */
    send: (host: string, port: number, data: Uint8Array, fragment = 0) => {
      const head = formatSocksAddress({ host, port });
      const packed = Buffer.concat([Uint8Array.of(0, 0, fragment), head, data]);
      return new Promise((resolve) =>
        socket.send(packed, relayPort, "127.0.0.1", resolve)
      );
    },
    message: async () => {
      const [data] = await once(socket, "message") as [Uint8Array];
      return new Uint8Array(data);
    },
    [Symbol.dispose]() {
      control.destroy();
      socket.close();
    },
  };
}

Deno.test("UDP goes to two peers and their answers come with their addresses", async () => {
  await using way = await openWay();
  await using echo = await udpPeer();
  await using louder = await udpPeer((data, reply) =>
    reply(data.map((byte) => byte + 1))
  );
  using client = await associate(way.socks.port);
  for (const size of [1, 1400, 8000]) {
    const data = new Uint8Array(size).fill(5);
    for (const [peer, byte] of [[echo, 5], [louder, 6]] as const) {
      const header = [
        0,
        0,
        0,
        ...formatSocksAddress({ host: "127.0.0.1", port: peer.port }),
      ];
      const answer = client.message();
      client.send("127.0.0.1", peer.port, data);
      assert.deepEqual(
        await answer,
        Uint8Array.of(...header, ...new Uint8Array(size).fill(byte)),
      );
    }
  }
});

Deno.test("a fragment, a stranger's datagram and rubbish are dropped", async () => {
  const asked: string[] = [];
  const done = Promise.withResolvers<void>();
  await using socks = await socksWith({
    openDatagrams: (host, port) => {
      asked.push(`${host}:${port}`);
      if (host === "last") done.resolve();
      return new Promise(() => {});
    },
  });
  using client = await associate(socks.port);
  const stranger = createSocket("udp4");
  stranger.bind(0, "127.0.0.2"); // another host, as far as the relay can tell
  await once(stranger, "listening");
  const packed = Buffer.concat([
    Uint8Array.of(0, 0, 0),
    formatSocksAddress({ host: "stranger", port: 9 }),
  ]);
  await new Promise((resolve) =>
    stranger.send(packed, client.relayPort, "127.0.0.1", resolve)
  );
  await client.send("fragment", 9, new Uint8Array(1), 1);
  for (const rubbish of [Uint8Array.of(0, 0), Uint8Array.of(0, 0, 0, 7)]) {
    await new Promise((resolve) =>
      client.socket.send(rubbish, client.relayPort, "127.0.0.1", resolve)
    );
  }
  await client.send("last", 9, new Uint8Array(1));
  await done.promise;
  assert.deepEqual(asked, ["last:9"]);
  stranger.close();
});

Deno.test("the end of its connection ends an association and its UDP sockets", async () => {
  await using way = await openWay();
  await using echo = await udpPeer();
  const before = await way.agent.openFiles();
  using client = await associate(way.socks.port);
  const answer = client.message();
  client.send("127.0.0.1", echo.port, new Uint8Array(3));
  await answer;
  assert.equal(await way.agent.openFiles(), before + 1);
  client.control.end();
  await once(client.control.resume(), "close");
  // after this answer the agent has seen the end, which was sent before it was asked
  await replyTo(way.socks.port, request("127.0.0.1", echo.port));
  assert.equal(await way.agent.openFiles(), before);
});

Deno.test("an association keeps its 256 newest flows", async () => {
  const closed: number[] = [];
  let opened = (_port: number) => {};
  await using socks = await socksWith({
    openDatagrams: (_host, port) => {
      opened(port);
      return Promise.resolve({
        send: () => true,
        onMessage: () => {},
        closed: new Promise<never>(() => {}),
        close: () => void closed.push(port),
      });
    },
  });
  using client = await associate(socks.port);
  for (let port = 1; port <= 300; port++) {
    const isOpen = new Promise<number>((resolve) => opened = resolve);
    client.send("10.0.0.1", port, new Uint8Array(1));
    assert.equal(await isOpen, port);
  }
  assert.deepEqual(closed, Array.from({ length: 44 }, (_, i) => i + 1));
});
