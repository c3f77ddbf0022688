import assert from "node:assert/strict";
import { askServer } from "../../../src/core/dns/ask_server.ts";
import { Scope } from "../../../src/core/scope.ts";
import { Port53 } from "../../../src/helper/port53.ts";
import { port53Operation } from "../../../src/helper/port53_operation.ts";
import { DnsServer } from "../../../src/net/dns/dns_server.ts";
import { MemoryJournal } from "../core/memory_journal.ts";
import { a, query, read, response } from "../net/dns/packets.ts";

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
  }
  await scope.dispose();
});
