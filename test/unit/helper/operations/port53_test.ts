import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { askServer } from "../../../../src/link/dns/ask_server.ts";
import { Scope } from "../../../../src/undo/scope.ts";
import { Port53 } from "../../../../src/helper/operations/port53.ts";
import {
  port53Operation,
  probePort53Operation,
} from "../../../../src/helper/operations/port53_operation.ts";
import { probePort53 } from "../../../../src/helper/operations/probe_port53.ts";
import { DnsServer } from "../../../../src/net/dns/dns_server.ts";
import { MemoryJournal } from "../../core/memory_journal.ts";
import { readHeader, withId } from "../../../../src/link/dns/dns_header.ts";
import { udpPeer } from "../../link/agent/udp_peer.ts";
import { a, query, read, response } from "../../net/dns/packets.ts";

/** A server behind a relay; both on free ports. */
async function setUp() {
  const server = await DnsServer.listen({
    host: "127.0.0.1",
    port: 0,
    answer: (asked) => {
      const { question } = read(asked);
      const count = question === "large.test" ? 100 : 1;
      return Promise.resolve(
        response(
          asked,
          Array.from({ length: count }, (_, n) => a(question, `10.0.0.${n}`)),
        ),
      );
    },
  });
  const relay = await Port53.open({
    address: "127.0.0.1",
    port: 0,
    targetPort: server.port,
  });
  return {
    front: { host: "127.0.0.1", port: relay.port },
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("many askers at once each get their own answer, over UDP and TCP", async () => {
  await using it = await setUp();
  const names = Array.from({ length: 200 }, (_, n) => `n${n}.test`);
  const answers = await Promise.all(
    names.map((name, n) =>
      askServer(query(name, "A", { id: 7 }), {
        ...it.front,
        protocol: n % 4 === 0 ? "tcp" : "udp",
      })
    ),
  );
  assert.deepEqual(
    answers.map((one) => read(one).records[0]),
    names.map((name) => `${name} A 10.0.0.0`),
  );
});

Deno.test("a large answer comes whole through the relay", async () => {
  await using it = await setUp();
  const answer = read(await askServer(query("large.test"), it.front));
  assert.equal(answer.records.length, 100);
});

Deno.test("the relay believes its target alone, and that only what it was asked", async () => {
  await using stranger = await udpPeer();
  const ids: number[] = [];
  await using target = await udpPeer((asked, reply, from) => {
    const id = readHeader(asked)!.id;
    ids.push(id);
    const forged = response(asked, [a("a.test", "203.0.113.1")]);
    const other = response(query("b.test"), [a("b.test", "203.0.113.2")]);
    stranger.socket.send(forged, from.port, from.address, () => {
      reply(withId(other, id));
      setTimeout(reply, 0, response(asked, [a("a.test", "192.0.2.1")]));
    });
  });
  await using relay = await Port53.open({
    address: "127.0.0.1",
    port: 0,
    targetPort: target.port,
  });
  const front = { host: "127.0.0.1", port: relay.port };
  for (let i = 0; i < 20; i++) {
    const answer = read(await askServer(query("a.test"), front));
    assert.deepEqual(answer.records, ["a.test A 192.0.2.1"]);
  }
  // not 0, 1, 2…: twenty at random are never in order
  assert.notDeepEqual(ids, ids.toSorted((a, b) => a - b));
});

Deno.test("a message without one question gets the target's refusal, and nothing else", async () => {
  const unreadable = Uint8Array.from([9, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  await using target = await udpPeer((asked, reply) => {
    reply(response(withId(query("a.test"), readHeader(asked)!.id), []));
    const refusal = asked.slice();
    refusal.set([0x81, 0x81], 2);
    setTimeout(reply, 0, refusal);
  });
  await using relay = await Port53.open({
    address: "127.0.0.1",
    port: 0,
    targetPort: target.port,
  });
  const answered = Promise.withResolvers<Uint8Array>();
  await using asker = await udpPeer((data) => answered.resolve(data));
  asker.socket.send(unreadable, relay.port, "127.0.0.1");
  const answer = readHeader(await answered.promise);
  assert.deepEqual([answer?.id, answer?.rcode], [0x0909, 1]);
});

Deno.test("a name server for others than this machine is refused", async () => {
  const scope = Scope.root({
    world: { root: "", exec: () => assert.fail("nothing is to be run") },
    journal: new MemoryJournal(),
    signal: new AbortController().signal,
  });
  for (const address of ["0.0.0.0", "192.0.2.1", "::"]) {
    await assert.rejects(
      port53Operation.apply({ address, targetPort: 5300 }, scope, () => {}),
      { code: "DNS_ADDRESS_REFUSED" },
    );
    await assert.rejects(
      probePort53Operation.apply({ address }, scope, () => {}),
      { code: "DNS_ADDRESS_REFUSED" },
    );
  }
  await scope.dispose();
});

/** Somebody else's name server, at a free port. */
async function takeUdp() {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { port: socket.address().port, free: () => socket.close() };
}

async function takeTcp() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return { port, free: () => server.close() };
}

const probed = {
  address: "127.0.0.1",
  patienceMs: 100,
  signal: new AbortController().signal,
};

for (const [protocol, take] of [["UDP", takeUdp], ["TCP", takeTcp]] as const) {
  Deno.test(`a port that is taken over ${protocol} is found by the probe, which leaves nothing behind`, async () => {
    const { port, free } = await take();
    await assert.rejects(probePort53({ ...probed, port }), {
      code: "DNS_PORT_TAKEN",
      hint: /stop that one/,
    });
    free();
    await probePort53({ ...probed, port });
    const address = "127.0.0.1";
    await using relay = await Port53.open({ address, port, targetPort: port });
    assert.equal(relay.port, port);
  });
}

Deno.test("a port that its dead session's helper is about to give up is waited for", async () => {
  await using helper = new AsyncDisposableStack();
  const relay = helper.use(
    await Port53.open({ address: "127.0.0.1", port: 0, targetPort: 1 }),
  );
  const probe = probePort53({
    ...probed,
    port: relay.port,
    patienceMs: 60_000,
  });
  // it has found the port taken
  await new Promise((resolve) => setTimeout(resolve, 20));
  await helper.disposeAsync();
  await probe;
});
