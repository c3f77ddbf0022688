import assert from "node:assert/strict";
import { NameServers } from "../../../../src/link/dns/name_servers.ts";
import { ForeignNames } from "../../../../src/net/dns/foreign_names.ts";
import { HostsNames } from "../../../../src/net/dns/hosts_names.ts";
import { FakeNameServer } from "../../link/dns/fake_name_server.ts";
import { a, read, response } from "./packets.ts";

const NAMES = [
  "web",
  "wpad",
  "localhost",
  "web.staging",
  "web.staging.svc.cluster.local",
  "free.dev",
  "google.dev",
  "mail.dev",
  "away.dev",
  "google.dev.svc.cluster.local",
];

/** Which of them a hosts file does not get, and what is told and asked for that. */
async function foreignOf(allowed: readonly string[]) {
  const asked: string[] = [];
  const told: string[] = [];
  await using upstream = await FakeNameServer.start((query) => {
    const { question } = read(query);
    asked.push(question);
    if (question === "google.dev") {
      return [response(query, [a(question, "192.0.2.2")])];
    }
    const rcode = { "mail.dev": 0, "away.dev": 2 }[question] ?? 3;
    return [response(query, [], { rcode })];
  });
  const names = new HostsNames({
    foreign: new ForeignNames(allowed),
    servers: new NameServers([upstream.address]),
    onForeign: (name, reason) => told.push(`${name} ${reason}`),
  });
  const { signal } = new AbortController();
  const first = [...await names.foreignOf(NAMES, signal)];
  const again = [...await names.foreignOf(NAMES, signal)];
  assert.deepEqual(again, first);
  return { foreign: first, told, asked };
}

Deno.test("a hosts file gets no name that is another's, nor one of which nobody says so", async () => {
  const { foreign, told, asked } = await foreignOf([]);
  assert.deepEqual(foreign, [
    "wpad",
    "localhost",
    "google.dev",
    "mail.dev",
    "away.dev",
  ]);
  assert.deepEqual(told, [
    "wpad reserved",
    "localhost reserved",
    "google.dev exists",
  ]);
  // what was answered is known; and nobody outside hears of other Services
  assert.deepEqual(asked.toSorted(), [
    "away.dev",
    "free.dev",
    "google.dev",
    "mail.dev",
  ]);
});

Deno.test("a hosts file gets what is allowed, and nobody is asked", async () => {
  const found = await foreignOf(["dev", "wpad", "localhost"]);
  assert.deepEqual(found, { foreign: [], told: [], asked: [] });
});

Deno.test("names for which nobody answers cost one deadline, keep no others waiting, and are asked for again a minute later", async () => {
  let time = 1000;
  let isSilent = true;
  await using upstream = await FakeNameServer.start((query) =>
    isSilent ? [] : [response(query, [], { rcode: 3 })]
  );
  const names = new HostsNames({
    foreign: new ForeignNames(),
    servers: new NameServers([upstream.address]),
    onForeign: () => {},
    nowMs: () => time,
  });
  const { signal } = new AbortController();
  const all = Array.from({ length: 40 }, (_, i) => `web${i}.dev`);
  const startedMs = performance.now();
  assert.equal((await names.foreignOf(all, signal)).size, 40);
  // one after the other they would take 200 s
  assert.ok(performance.now() - startedMs < 20_000);
  // those for which there was no time
  assert.equal(names.againInMs, 0);
  isSilent = false;
  const silent = await names.foreignOf(all, signal);
  assert.deepEqual([...silent], all.slice(0, 16));
  assert.equal(names.againInMs, 60_000);
  const count = upstream.asked.length;
  assert.equal((await names.foreignOf(all, signal)).size, 16);
  assert.equal(upstream.asked.length, count);
  time += 60_000;
  assert.equal((await names.foreignOf(all, signal)).size, 0);
  assert.equal(names.againInMs, undefined);
});

Deno.test("of other name servers is asked at once what the former said, or did not", async () => {
  const rcodes = (rcode: number) =>
    FakeNameServer.start((query) => [response(query, [], { rcode })]);
  await using failing = await rcodes(2);
  await using office = await rcodes(0);
  await using home = await rcodes(3);
  const names = new HostsNames({
    foreign: new ForeignNames(),
    servers: new NameServers([failing.address]),
    onForeign: () => {},
  });
  const { signal } = new AbortController();
  const foreign = async () => [...await names.foreignOf(["a.dev"], signal)];
  assert.deepEqual(await foreign(), ["a.dev"]);
  names.setServers(new NameServers([home.address]));
  assert.deepEqual(await foreign(), []);
  names.setServers(new NameServers([office.address]));
  assert.deepEqual(await foreign(), ["a.dev"]);
});
