import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import { askServer } from "../../../../src/link/dns/ask_server.ts";
import {
  frameMessage,
  TcpMessages,
} from "../../../../src/link/dns/tcp_messages.ts";
import { DnsResolver } from "../../../../src/net/dns/dns_resolver.ts";
import { DnsServer } from "../../../../src/net/dns/dns_server.ts";
import { a, query, read, response } from "./packets.ts";

/** Answers every query with so many addresses. */
function listen(count: number): Promise<DnsServer> {
  return DnsServer.listen({
    host: "127.0.0.1",
    port: 0,
    answer: (asked) =>
      Promise.resolve(
        response(
          asked,
          Array.from({ length: count }, (_, n) => a("x.test", `10.0.0.${n}`)),
        ),
      ),
  });
}

async function datagram(port: number, message: Uint8Array) {
  const socket = createSocket("udp4");
  try {
    socket.send(message, port, "127.0.0.1");
    const [answer] = await once(socket, "message");
    return read(new Uint8Array(answer));
  } finally {
    socket.close();
  }
}

Deno.test("a datagram holds what its asker takes, the rest comes over TCP", async () => {
  await using server = await listen(100);
  const plain = await datagram(server.port, query("x.test"));
  assert.equal(plain.truncated, true);
  assert.equal(plain.records.length, 22); // of 22 bytes each, in 512
  const edns = query("x.test", "A", { udpBytes: 4096 });
  assert.equal((await datagram(server.port, edns)).records.length, 100);
  const target = { host: "127.0.0.1", port: server.port };
  const whole = read(await askServer(query("x.test"), target));
  assert.equal(whole.records.length, 100);
  assert.equal(whole.truncated, false);
});

Deno.test("several queries on one connection are answered, also after its sender has ended", async () => {
  await using server = await listen(1);
  const socket = connect({ port: server.port, host: "127.0.0.1" });
  const queries = [1, 2, 3].map((id) => query("x.test", "A", { id }));
  for (const one of queries) socket.write(frameMessage(one));
  socket.end();
  const messages = new TcpMessages();
  const ids: number[] = [];
  for await (const chunk of socket) {
    ids.push(...messages.push(chunk).map((one) => read(one).id));
  }
  assert.deepEqual(ids.sort(), [1, 2, 3]);
});

Deno.test("a port that is taken is a conflict", async () => {
  await using server = await listen(1);
  await assert.rejects(
    DnsServer.listen({
      host: "127.0.0.1",
      port: server.port,
      answer: () => Promise.resolve(undefined),
    }),
    { code: "DNS_PORT_TAKEN" },
  );
});

Deno.test("a server that got any kind of bytes still answers", async () => {
  const resolver = new DnsResolver({
    link: {
      resolver: { nameservers: [], search: [], ndots: 5 },
      resolve: (asked) => Promise.resolve(asked.slice(0, 5)),
    },
    upstreams: [],
    clusterDomain: "cluster.local",
    cidrs: [],
    isNamespace: () => true,
  });
  await using server = await DnsServer.listen({
    host: "127.0.0.1",
    port: 0,
    answer: (asked) => resolver.answer(asked),
  });
  const socket = createSocket("udp4");
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc.tuple(fc.nat(40), fc.nat(255)).map(([at, value]) => {
      const message = query("web.prod.svc.cluster.local");
      message[at] = value;
      return message;
    }),
  );
  for (const one of fc.sample(bytes, 300)) {
    socket.send(one, server.port, "127.0.0.1");
    await resolver.answer(one);
  }
  socket.close();
  const last = await datagram(server.port, query("a.b.test"));
  assert.equal(last.rcode, "SERVFAIL");
});
