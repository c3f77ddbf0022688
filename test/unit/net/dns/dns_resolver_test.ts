import assert from "node:assert/strict";
import type { DnsServer } from "../../../../src/link/dns/ask_server.ts";
import {
  DnsResolver,
  type DnsResolverOptions,
} from "../../../../src/net/dns/dns_resolver.ts";
import { ForeignNames } from "../../../../src/net/dns/foreign_names.ts";
import { IngressHosts } from "../../../../src/net/dns/ingress_hosts.ts";
import { FakeNameServer } from "../../link/dns/fake_name_server.ts";
import { a, query, read, response } from "./packets.ts";

const CLUSTER: Record<string, string> = {
  "web.default.svc.cluster.local": "10.96.0.1",
  "web.prod.svc.cluster.local": "10.96.0.2",
  "web.staging.svc.cluster.local": "10.96.0.3",
  "google.dev.svc.cluster.local": "10.96.0.66",
  "free.dev.svc.cluster.local": "10.96.0.66",
  "www.example.com.svc.cluster.local": "10.96.0.66",
  "mail.dev.svc.cluster.local": "10.96.0.66",
  "wpad.default.svc.cluster.local": "10.96.0.66",
  "localhost.default.svc.cluster.local": "10.96.0.66",
  "www.example.com": "10.96.0.99",
};
const INTERNET: Record<string, string> = {
  "www.example.com": "192.0.2.1",
  "google.dev": "192.0.2.2",
  "mail.dev": "",
  "away.dev": "fails",
  "printer": "192.0.2.3",
};

/** They have IPv4 alone. */
function answerFrom(names: Record<string, string>, asked: Uint8Array) {
  const { question: name, type } = read(asked);
  const address = type === "A" ? names[name] : names[name] && "";
  if (address === "fails") return response(asked, [], { rcode: 2 });
  if (address === "") return response(asked, [], { soaTtlS: 5 });
  return address === undefined
    ? response(asked, [], { rcode: 3, soaTtlS: 5 })
    : response(asked, [a(name, address)]);
}

/** A cluster and an Internet; both note what they were asked. */
async function setUp(options: Partial<DnsResolverOptions> = {}) {
  const cluster = { asked: [] as string[], isDown: false };
  const internet: string[] = [];
  const upstream = await FakeNameServer.start((asked) => {
    internet.push(read(asked).question);
    return [answerFrom(INTERNET, asked)];
  });
  const resolver = new DnsResolver({
    link: {
      resolver: {
        nameservers: [],
        ndots: 5,
        search: [
          "default.svc.cluster.local",
          "svc.cluster.local",
          "cluster.local",
        ],
      },
      resolve(asked, { signal } = {}) {
        cluster.asked.push(read(asked).question);
        if (!cluster.isDown) {
          return Promise.resolve(answerFrom(CLUSTER, asked));
        }
        return new Promise((_, reject) =>
          signal?.addEventListener("abort", () => reject(signal.reason))
        );
      },
    },
    upstreams: [upstream.address],
    clusterDomain: "cluster.local",
    cidrs: ["10.96.0.0/12"],
    isNamespace: (label) => ["prod", "dev", "staging"].includes(label),
    ...options,
  });
  return {
    cluster,
    internet,
    resolver,
    ask: async (name: string, type?: "AAAA" | "MX") => {
      const answer = await resolver.answer(query(name, type));
      assert.ok(answer);
      const { rcode, records } = read(answer);
      return records.join("; ") || rcode;
    },
    async [Symbol.asyncDispose]() {
      resolver.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

Deno.test("names of the cluster are answered by it, under the name that was asked", async () => {
  await using it = await setUp();
  assert.equal(await it.ask("web"), "web A 10.96.0.1");
  assert.equal(await it.ask("web.staging"), "web.staging A 10.96.0.3");
  assert.equal(await it.ask("web.prod.svc"), "web.prod.svc A 10.96.0.2");
  assert.equal(
    await it.ask("web.prod.svc.cluster.local"),
    "web.prod.svc.cluster.local A 10.96.0.2",
  );
  assert.deepEqual(it.internet, []);
});

Deno.test("names of the Internet never reach the cluster", async () => {
  await using it = await setUp({ onForeign: () => {} });
  assert.equal(await it.ask("www.example.com"), "www.example.com A 192.0.2.1");
  for (const name of ["nobody.example.com", "_dmarc.example.com", "_gateway"]) {
    assert.equal(await it.ask(name), "NXDOMAIN");
  }
  assert.equal(await it.ask("app.localhost"), "NXDOMAIN");
  assert.deepEqual(it.cluster.asked, []);
});

Deno.test("what the cluster does not know of its own names is unknown, and nobody else is asked", async () => {
  await using it = await setUp();
  assert.equal(await it.ask("no.prod.svc.cluster.local"), "NXDOMAIN");
  assert.equal(await it.ask("no.prod.svc"), "NXDOMAIN");
  assert.equal(await it.ask("9.0.96.10.in-addr.arpa"), "NXDOMAIN");
  assert.deepEqual(it.internet, []);
});

Deno.test("short names that the cluster does not know are looked for elsewhere", async () => {
  await using it = await setUp();
  assert.equal(await it.ask("printer"), "printer A 192.0.2.3");
  assert.equal(await it.ask("google.dev"), "google.dev A 192.0.2.2");
  assert.equal(await it.ask("nobody"), "NXDOMAIN");
});

Deno.test("of what a Service has no address for, or no record at all, nobody else is asked", async () => {
  await using it = await setUp();
  for (const name of ["web", "web.staging"]) {
    assert.equal(await it.ask(name, "AAAA"), "NOERROR");
    assert.equal(await it.ask(name, "MX"), "NOERROR");
  }
  assert.deepEqual(it.internet, []);
  // who alone can answer is not asked whether anybody else is to be
  it.cluster.asked.length = 0;
  const full = "web.prod.svc.cluster.local";
  assert.equal(await it.ask(full, "AAAA"), "NOERROR");
  assert.deepEqual(it.cluster.asked, [full]);
  assert.equal(await it.ask("printer", "AAAA"), "NOERROR");
  assert.deepEqual(it.internet, ["printer"]);
});

Deno.test("a namespace called like a domain of the Internet has what nobody has there, and the cluster is not asked for more", async () => {
  const told: string[] = [];
  await using it = await setUp({
    onForeign: (name, reason) => told.push(`${name} ${reason}`),
  });
  assert.equal(await it.ask("google.dev"), "google.dev A 192.0.2.2");
  // it exists there, with records of another type
  assert.equal(await it.ask("mail.dev"), "NOERROR");
  assert.equal(await it.ask("away.dev"), "SERVFAIL");
  assert.deepEqual(it.cluster.asked, []);
  assert.deepEqual(told, ["google.dev exists", "away.dev unsure"]);
  assert.equal(await it.ask("web.prod"), "web.prod A 10.96.0.2");
  assert.equal(await it.ask("nobody.prod"), "NXDOMAIN");
  it.cluster.isDown = true;
  assert.equal(await it.ask("api.prod"), "SERVFAIL");
  assert.equal(told.length, 2);
});

Deno.test("a Service that is called as programs look for something else has its full name alone, and that is told", async () => {
  const told: string[] = [];
  await using it = await setUp({
    onForeign: (name, reason) => told.push(`${name} ${reason}`),
  });
  for (const name of ["wpad", "localhost", "isatap"]) {
    for (const domain of ["", ".default.svc.cluster.local"]) {
      assert.equal(await it.ask(`${name}${domain}`), "NXDOMAIN");
    }
  }
  assert.deepEqual(it.internet, ["wpad", "localhost", "isatap"]);
  assert.deepEqual(told, ["wpad reserved", "localhost reserved"]);
});

Deno.test("names that are allowed are the cluster's first", async () => {
  const told: string[] = [];
  await using it = await setUp({
    foreign: new ForeignNames(["dev", "wpad"]),
    onForeign: (name) => told.push(name),
  });
  assert.equal(await it.ask("google.dev"), "google.dev A 10.96.0.66");
  assert.equal(await it.ask("wpad"), "wpad A 10.96.0.66");
  assert.match(await it.ask("wpad.default.svc.cluster.local"), /10\.96\.0\.66/);
  assert.equal(await it.ask("localhost"), "NXDOMAIN");
  assert.deepEqual(told, ["localhost"]);
});

for (
  const [title, order, expected] of [
    ["the cluster first", ["cluster", "upstream"], "10.96.0.66"],
    ["podDNS", ["cluster"], "10.96.0.66"],
    ["the cluster last", ["upstream", "cluster"], "10.96.0.66"],
    ["upstream alone", ["upstream"], "NXDOMAIN"],
  ] as const
) {
  Deno.test(`in an order with ${title} no Service has a public name either`, async () => {
    await using it = await setUp({
      order: order.map((kind) => ({ kind })),
      isNamespace: (label) => label === "com" || label === "dev",
    });
    assert.match(await it.ask("www.example.com"), /192\.0\.2\.1|10\.96\.0\.99/);
    assert.ok(!it.cluster.asked.includes("www.example.com.svc.cluster.local"));
    assert.match(await it.ask("free.dev"), new RegExp(expected));
  });
}

Deno.test("while the cluster is out of reach its names fail in time, and the Internet's do not", async () => {
  await using it = await setUp({ timeoutMs: 200 });
  it.cluster.isDown = true;
  assert.equal(await it.ask("web.prod.svc.cluster.local"), "SERVFAIL");
  assert.equal(await it.ask("web"), "SERVFAIL");
  assert.equal(await it.ask("google.dev"), "google.dev A 192.0.2.2");
  it.cluster.isDown = false;
  assert.equal(await it.ask("web"), "web A 10.96.0.1");
});

Deno.test("nobody in the cluster is asked for what the link itself goes to, whatever the order and the domains", async () => {
  await using it = await setUp({
    order: [{ kind: "cluster" }],
    includeDomains: ["example.com"],
    linkHosts: ["www.example.com", "printer"],
    ingressAddresses: () => ["198.51.100.9"],
  });
  assert.equal(await it.ask("www.example.com"), "www.example.com A 192.0.2.1");
  assert.equal(await it.ask("printer"), "printer A 192.0.2.3");
  assert.deepEqual(it.cluster.asked, []);
  assert.match(await it.ask("x.example.com"), /198\.51\.100\.9/);
  assert.deepEqual(it.internet, ["www.example.com", "printer"]);
});

Deno.test("an order says who is asked for what is not the cluster's alone", async () => {
  const order = [{ kind: "cluster" as const }, { kind: "upstream" as const }];
  await using it = await setUp({ order });
  assert.equal(await it.ask("www.example.com"), "www.example.com A 10.96.0.99");
  assert.equal(await it.ask("printer"), "printer A 192.0.2.3");
  await using other = await setUp({ order: order.toReversed() });
  assert.equal(
    await other.ask("www.example.com"),
    "www.example.com A 192.0.2.1",
  );
  assert.equal(await other.ask("web"), "web A 10.96.0.1");
  assert.deepEqual(other.internet, ["www.example.com", "web"]);
  assert.equal(
    await other.ask("web.prod.svc.cluster.local"),
    "web.prod.svc.cluster.local A 10.96.0.2",
  );
});

Deno.test("an order may name a server", async () => {
  await using mine = await FakeNameServer.start((asked) => [
    response(asked, [a(read(asked).question, "198.51.100.1")]),
  ]);
  const server: DnsServer = { ...mine.address, protocol: "tcp" };
  await using it = await setUp({ order: [{ kind: "server", server }] });
  assert.equal(await it.ask("x.test"), "x.test A 198.51.100.1");
  assert.deepEqual(mine.asked, ["tcp"]);
});

Deno.test("hosts of an Ingress go where they are told, wildcards for one label", async () => {
  const hosts = new IngressHosts("203.0.113.5");
  hosts.set(["Shop.example.com", "*.apps.example.com"]);
  await using it = await setUp({ ingressAddresses: hosts.addressesOf });
  assert.equal(
    await it.ask("shop.EXAMPLE.com"),
    "shop.example.com A 203.0.113.5",
  );
  assert.match(await it.ask("a.apps.example.com"), /203\.0\.113\.5/);
  assert.equal(await it.ask("a.b.apps.example.com"), "NXDOMAIN");
});

Deno.test("a host of an Ingress that takes in others' names is not obeyed", () => {
  const wide = ["*", "*.com", "*.co.uk", "*.github.io", "*.local"];
  const reserved = ["localhost", "*.localhost", "wpad", "a.*.example.com"];
  const hosts = new IngressHosts("203.0.113.5");
  const good = ["shop.local", "*.example.com", "shop.co.uk", "intranet"];
  const refused = hosts.set([...wide, ...reserved, ...good]);
  assert.deepEqual(refused, [...wide, ...reserved]);
  const taken = [
    "web",
    "google.com",
    "a.co.uk",
    "a.local",
    "localhost",
    "wpad",
  ];
  for (const name of taken) assert.equal(hosts.addressesOf(name), undefined);
  for (const name of ["shop.local", "a.example.com", "shop.co.uk"]) {
    assert.deepEqual(hosts.addressesOf(name), ["203.0.113.5"]);
  }
  const allowed = new ForeignNames(["co.uk", "wpad"]);
  const all = new IngressHosts("203.0.113.5", allowed);
  assert.deepEqual(all.set(["*", "*.co.uk", "wpad"]), ["*"]);
  assert.deepEqual(all.addressesOf("a.co.uk"), ["203.0.113.5"]);
});

Deno.test("new upstream servers are asked at once", async () => {
  await using mine = await FakeNameServer.start((asked) => [
    response(asked, [a(read(asked).question, "198.51.100.1")]),
  ]);
  await using it = await setUp();
  assert.equal(await it.ask("www.example.com"), "www.example.com A 192.0.2.1");
  it.resolver.setUpstreams([mine.address]);
  assert.equal(
    await it.ask("www.example.com"),
    "www.example.com A 198.51.100.1",
  );
});

Deno.test("an order that changes upstream's port follows new upstreams too", async () => {
  await using mine = await FakeNameServer.start((asked) => [
    response(asked, [a(read(asked).question, "198.51.100.1")]),
  ]);
  const port = mine.address.port ?? 0;
  await using it = await setUp({
    order: [{ kind: "upstream", protocol: "tcp", port }],
  });
  assert.equal(await it.ask("x.test"), "x.test A 198.51.100.1");
});

Deno.test("messages that are no question get an error or no answer", async () => {
  await using it = await setUp();
  const answer = (message: Uint8Array) => it.resolver.answer(message);
  assert.equal(await answer(new Uint8Array(11)), undefined);
  const asked = query("a.test");
  assert.equal(await answer(response(asked, [])), undefined);
  const code = async (change: (message: Uint8Array) => Uint8Array | void) => {
    const message = asked.slice();
    return read(await answer(change(message) ?? message) ?? asked).rcode;
  };
  assert.equal(await code((one) => void (one[2] = 0x28)), "NOTIMP");
  assert.equal(await code((one) => void (one[5] = 2)), "FORMERR");
  assert.equal(await code((one) => one.subarray(0, 14)), "FORMERR");
  assert.equal(await code(() => query("a.test", "AXFR")), "NOTIMP");
});

Deno.test("what nobody has outside stays the cluster's while nobody outside answers, until the servers are others", async () => {
  let rcode = 3;
  await using upstream = await FakeNameServer.start((asked) => [
    response(asked, [], { rcode, soaTtlS: 5 }),
  ]);
  await using it = await setUp({ upstreams: [upstream.address] });
  assert.equal(await it.ask("free.dev"), "free.dev A 10.96.0.66");
  rcode = 2;
  it.resolver.clearCache();
  assert.equal(await it.ask("free.dev"), "free.dev A 10.96.0.66");
  assert.equal(await it.ask("google.dev"), "SERVFAIL");
  it.resolver.setUpstreams([upstream.address]);
  assert.equal(await it.ask("free.dev"), "SERVFAIL");
});
