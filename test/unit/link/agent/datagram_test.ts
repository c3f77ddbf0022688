// UDP from the pod, through the real agent.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { AgentProcess, freePorts, listen, portOf } from "./agent_process.ts";
import { SilentProxy } from "./silent_proxy.ts";
import { udpPeer } from "./udp_peer.ts";

/** The messages of a channel, one after the other. */
function messagesOf(channel: { onMessage: (data: Uint8Array) => void }) {
  const waiting: ((data: Uint8Array) => void)[] = [];
  const came: Uint8Array[] = [];
  channel.onMessage = (data) => {
    const next = waiting.shift();
    if (next) next(data);
    else came.push(data);
  };
  return () =>
    new Promise<Uint8Array>((resolve) => {
      const first = came.shift();
      if (first) resolve(first);
      else waiting.push(resolve);
    });
}

for (const host of ["127.0.0.1", "::1", "localhost"]) {
  Deno.test(`datagrams go to ${host} and come back, from none to 60000 bytes`, async () => {
    await using agent = await AgentProcess.start({ ports: [] });
    await using link = await agent.link();
    await using echo = await udpPeer(undefined, {
      host: addressOf(host),
    });
    const channel = await link.openDatagrams(host, echo.port);
    const next = messagesOf(channel);
    for (const size of [1, 0, 1472, 9000, 60_000]) {
      const data = crypto.getRandomValues(new Uint8Array(Math.min(size, 9000)));
      const sent = new Uint8Array(size);
      for (let at = 0; at < size; at += data.length) {
        sent.set(data.subarray(0, size - at), at);
      }
      assert.equal(channel.send(sent), true);
      assert.deepEqual(await next(), sent);
    }
    channel.close();
    assert.equal(await channel.closed, "closed");
    assert.equal(channel.send(new Uint8Array(1)), false);
  });
}

/** What "localhost" is on this machine is for its resolver to say: the peer has to be there too. */
function addressOf(host: string): string {
  if (host !== "localhost") return host;
  const hosts = Deno.readTextFileSync("/etc/hosts");
  const line = hosts.split("\n").find((one) => /\slocalhost(\s|$)/.test(one));
  return line?.split(/\s/)[0] ?? "127.0.0.1";
}

Deno.test("datagrams of others than the peer are not taken for its own", async () => {
  await using agent = await AgentProcess.start({ ports: [] });
  await using link = await agent.link();
  const stranger = createSocket("udp4");
  await using peer = await udpPeer((_data, reply, from) => {
    const forged = new TextEncoder().encode("forged");
    const answer = () => reply(new TextEncoder().encode("answer"));
    stranger.send(forged, from.port, from.address, answer);
  });
  const channel = await link.openDatagrams("127.0.0.1", peer.port);
  const next = messagesOf(channel);
  channel.send(new Uint8Array(1));
  assert.equal(new TextDecoder().decode(await next()), "answer");
  stranger.close();
  channel.close();
});

Deno.test("a UDP socket without traffic is closed, and one for DNS sooner", async () => {
  await using agent = await AgentProcess.start({
    ports: [],
    datagramIdleMs: 1200,
  });
  await using link = await agent.link();
  const before = await agent.openFiles();
  const since = performance.now();
  const [port] = await freePorts(1) as [number];
  const dns = await link.openDatagrams("127.0.0.1", 53);
  const other = await link.openDatagrams("127.0.0.1", port);
  assert.equal(await dns.closed, "idle");
  const dnsMs = performance.now() - since;
  assert.ok(dnsMs >= 150 && dnsMs < 1100, `${dnsMs} ms`);
  assert.equal(await other.closed, "idle");
  assert.ok(performance.now() - since >= 1100);
  await link.resolver(); // the agent has seen the ends by now
  assert.equal(await agent.openFiles(), before);
});

Deno.test("traffic keeps a UDP socket open", async () => {
  await using agent = await AgentProcess.start({
    ports: [],
    datagramIdleMs: 600,
  });
  await using link = await agent.link();
  await using echo = await udpPeer();
  const channel = await link.openDatagrams("127.0.0.1", echo.port);
  const since = performance.now();
  let answers = 0;
  const ticks = setInterval(() => channel.send(new Uint8Array(4)), 50);
  const kept = Promise.withResolvers<void>();
  channel.onMessage = () => {
    answers++;
    if (performance.now() - since > 1500) kept.resolve();
  };
  assert.equal(
    await Promise.race([kept.promise.then(() => "kept"), channel.closed]),
    "kept",
  );
  clearInterval(ticks);
  assert.ok(answers > 10);
  channel.close();
});

Deno.test("a name that does not exist has no UDP socket", async () => {
  await using agent = await AgentProcess.start({ ports: [] });
  await using link = await agent.link();
  await assert.rejects(link.openDatagrams("nothing.invalid", 53), {
    code: "DIAL_NAME_UNKNOWN",
    message: /"nothing\.invalid:53"/,
  });
});

Deno.test("datagrams are dropped while the link is behind, and flow again after", async () => {
  await using agent = await AgentProcess.start({ ports: [] });
  await using proxy = await SilentProxy.to(agent.config.sshPort, {
    bytesPerSecondUp: 1 << 20,
  });
  await using link = await agent.link({ via: proxy.port });
  await using echo = await udpPeer();
  const channel = await link.openDatagrams("127.0.0.1", echo.port);
  const next = messagesOf(channel);
  const data = new Uint8Array(1400);
  let sent = 0;
  while (channel.send(data)) sent++;
  assert.ok(sent * data.length < (2 << 20), `${sent} were queued`);
  for (let i = 0; i < sent; i++) assert.equal((await next()).length, 1400);
  assert.equal(channel.send(data), true);
  await next();
  channel.close();
});

Deno.test("a lost link ends its UDP sockets", async () => {
  await using agent = await AgentProcess.start({ ports: [] });
  const link = await agent.link();
  const channel = await link.openDatagrams("127.0.0.1", 9);
  agent.process.kill("SIGKILL");
  assert.equal(await channel.closed, "link");
  await link.close();
});

Deno.test("a client that goes leaves no UDP socket behind", async () => {
  await using agent = await AgentProcess.start({ ports: [] });
  const before = await agent.openFiles();
  const link = await agent.link();
  for (let i = 0; i < 20; i++) await link.openDatagrams("127.0.0.1", 9);
  assert.ok(await agent.openFiles() >= before + 20);
  await link.close();
  await agent.logged("client disconnected");
  await using again = await agent.link();
  await again.resolver();
  assert.ok(await agent.openFiles() <= before + 1);
});

// Fails when denoland/deno#36492 is done: then `closed` becomes "refused", and this test becomes one of it.
Deno.test("Deno does not tell a UDP socket that its peer refuses", async () => {
  const [port] = await freePorts(1) as [number];
  const socket = createSocket("udp4");
  let error: Error | undefined;
  socket.on("error", (one) => error = one);
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  // on the loopback the refusal is there before the second send
  for (let i = 0; i < 2; i++) {
    await new Promise((resolve) => socket.send(new Uint8Array(1), resolve));
  }
  await using turn = await listen((socket) => void socket.resume().end());
  await (await Deno.connect({ port: portOf(turn) })).close();
  assert.equal(error, undefined);
  socket.close();
});
