import assert from "node:assert/strict";
import { askServer } from "../../../../src/link/dns/ask_server.ts";
import { readHeader, withId } from "../../../../src/link/dns/dns_header.ts";
import { NameServers } from "../../../../src/link/dns/name_servers.ts";
import { a, query, read, response } from "../../net/dns/packets.ts";
import { udpPeer } from "../agent/udp_peer.ts";
import { FakeNameServer, type Say } from "./fake_name_server.ts";

const ANSWERS: Say = (asked) => [response(asked, [a("a.test", "192.0.2.1")])];
const REFUSES: Say = (asked) => [response(asked, [], { rcode: 5 })];
const UNKNOWN: Say = (asked) => [response(asked, [], { rcode: 3 })];
const SILENT: Say = () => [];
const asked = query("a.test", "A", { id: 99 });

Deno.test("a query gets its answer, under its own id", async () => {
  await using server = await FakeNameServer.start(ANSWERS);
  const answer = read(await askServer(asked, server.address));
  assert.equal(answer.id, 99);
  assert.deepEqual(answer.records, ["a.test A 192.0.2.1"]);
  assert.deepEqual(server.asked, ["udp"]);
});

Deno.test("a truncated answer is fetched whole over TCP", async () => {
  await using server = await FakeNameServer.start((asked, over) =>
    over === "udp"
      ? [response(asked, [], { truncated: true })]
      : [response(asked, [a("a.test", "192.0.2.1"), a("a.test", "192.0.2.2")])]
  );
  const answer = read(await askServer(asked, server.address));
  assert.equal(answer.records.length, 2);
  assert.deepEqual(server.asked, ["udp", "tcp"]);
});

Deno.test("a server that is to be asked over TCP is not asked otherwise", async () => {
  await using server = await FakeNameServer.start(ANSWERS);
  await askServer(asked, { ...server.address, protocol: "tcp" });
  assert.deepEqual(server.asked, ["tcp"]);
});

Deno.test("answers with a foreign id or question are not taken", async () => {
  await using server = await FakeNameServer.start((asked) => {
    const id = readHeader(asked)?.id ?? 0;
    return [
      withId(response(asked, [a("a.test", "203.0.113.1")]), id ^ 1),
      withId(response(query("b.test"), [a("b.test", "203.0.113.2")]), id),
      new Uint8Array(3),
      asked,
      response(asked, [a("a.test", "192.0.2.1")]),
    ];
  });
  const answer = read(await askServer(asked, server.address));
  assert.deepEqual(answer.records, ["a.test A 192.0.2.1"]);
});

Deno.test("a stranger's answer is not taken, though it has the right id and question", async () => {
  await using stranger = await udpPeer();
  await using server = await udpPeer((asked, reply, from) => {
    const forged = response(asked, [a("a.test", "203.0.113.1")]);
    stranger.socket.send(
      forged,
      from.port,
      from.address,
      () => reply(response(asked, [a("a.test", "192.0.2.1")])),
    );
  });
  const address = { host: "127.0.0.1", port: server.port };
  const answer = read(await askServer(asked, address));
  assert.deepEqual(answer.records, ["a.test A 192.0.2.1"]);
});

Deno.test("where false answers come in numbers, the server is asked over TCP", async () => {
  await using server = await FakeNameServer.start((asked, over) => {
    if (over === "tcp") return ANSWERS(asked, over);
    const id = readHeader(asked)?.id ?? 0;
    const guess = (n: number) =>
      withId(
        response(asked, [a("a.test", "203.0.113.1")]),
        (id + n + 1) & 0xffff,
      );
    return Array.from({ length: 100 }, (_, n) => guess(n));
  });
  const answer = read(await askServer(asked, server.address));
  assert.deepEqual(answer.records, ["a.test A 192.0.2.1"]);
  assert.deepEqual(server.asked, ["udp", "tcp"]);
});

Deno.test("each question has an id and a port that cannot be guessed", async () => {
  const ids = new Set<number>();
  const ports = new Set<number>();
  await using server = await udpPeer((asked, reply, from) => {
    ids.add(readHeader(asked)!.id);
    ports.add(from.port);
    reply(response(asked, [a("a.test", "192.0.2.1")]));
  });
  const address = { host: "127.0.0.1", port: server.port };
  for (let i = 0; i < 20; i++) await askServer(asked, address);
  // twenty of 65536: two alike happen, four pairs do not
  assert.ok(ids.size > 16, `${[...ids]}`);
  assert.ok(ports.size > 16, `${[...ports]}`);
});

Deno.test("a server that does not answer is an error at the deadline", async () => {
  await using server = await FakeNameServer.start(SILENT);
  await assert.rejects(
    askServer(asked, server.address, { timeoutMs: 50 }),
    {
      code: "DNS_NO_ANSWER",
      message: 'Name server "127.0.0.1" did not answer: no answer in time',
    },
  );
});

Deno.test("a server that is silent or refuses costs its second once, then the one that answers is first", async () => {
  await using silent = await FakeNameServer.start(SILENT);
  await using refusing = await FakeNameServer.start(REFUSES);
  await using good = await FakeNameServer.start(ANSWERS);
  const servers = new NameServers([
    silent.address,
    refusing.address,
    good.address,
  ]);
  assert.equal(read(await servers.ask(asked)).rcode, "NOERROR");
  const seen = silent.asked.length;
  assert.equal(read(await servers.ask(asked)).rcode, "NOERROR");
  assert.equal(silent.asked.length, seen);
  assert.equal(refusing.asked.length, 1);
  assert.equal(good.asked.length, 2);
});

Deno.test("where all servers refuse, that is the answer; where none is there, it is an error", async () => {
  await using refusing = await FakeNameServer.start(REFUSES);
  const answer = await new NameServers([refusing.address]).ask(asked);
  assert.equal(read(answer).rcode, "REFUSED");
  await assert.rejects(new NameServers([]).ask(asked), {
    code: "DNS_NO_SERVER",
  });
});

Deno.test("of servers of several networks one may know what another does not", async () => {
  await using home = await FakeNameServer.start(UNKNOWN);
  await using office = await FakeNameServer.start(ANSWERS);
  await using silent = await FakeNameServer.start(SILENT);
  const of = (...all: FakeNameServer[]) =>
    new NameServers(all.map(({ address }) => address), { areAlike: false });
  assert.equal(read(await of(home, office).ask(asked)).rcode, "NOERROR");
  assert.equal(read(await of(home, home).ask(asked)).rcode, "NXDOMAIN");
  // long before the deadline
  const answer = await of(home, silent).ask(asked, { timeoutMs: 60_000 });
  assert.equal(read(answer).rcode, "NXDOMAIN");
  const alike = new NameServers([home.address, office.address]);
  assert.equal(read(await alike.ask(asked)).rcode, "NXDOMAIN");
});

Deno.test("asking ends on cancellation", async () => {
  await using silent = await FakeNameServer.start(SILENT);
  const controller = new AbortController();
  const asking = new NameServers([silent.address, silent.address])
    .ask(asked, { signal: controller.signal });
  controller.abort();
  await assert.rejects(asking, { code: "DNS_NO_ANSWER" });
});

for (const count of [1, 2, 3]) {
  Deno.test(`of ${count} servers none is waited for when nobody wants the answer any more`, async () => {
    await using server = await FakeNameServer.start(SILENT);
    const servers = new NameServers(Array(count).fill(server.address));
    const gone = AbortSignal.abort(new Error("gone"));
    await assert.rejects(servers.ask(asked, { signal: gone }), /gone/);
    assert.deepEqual(server.asked, []);
    const leaving = new AbortController();
    const answer = servers.ask(asked, { signal: leaving.signal });
    leaving.abort(new Error("left"));
    await assert.rejects(answer);
  });
}
