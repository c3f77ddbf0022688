import assert from "node:assert/strict";
import type { DnsServer } from "../../../../src/core/dns/ask_server.ts";
import {
  DnsResolver,
  type DnsResolverOptions,
} from "../../../../src/net/dns/dns_resolver.ts";
import { IngressHosts } from "../../../../src/net/dns/ingress_hosts.ts";
import { FakeNameServer } from "../../core/dns/fake_name_server.ts";
import { a, query, read, response } from "./packets.ts";

const CLUSTER: Record<string, string> = {
  "web.default.svc.cluster.local": "10.96.0.1",
  "web.prod.svc.cluster.local": "10.96.0.2",
  "www.example.com": "10.96.0.99",
};
const INTERNET: Record<string, string> = {
  "www.example.com": "192.0.2.1",
  "google.dev": "192.0.2.2",
  "printer": "192.0.2.3",
};

function answerFrom(names: Record<string, string>, asked: Uint8Array) {
  const name = read(asked).question;
  const address = names[name];
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
    isNamespace: (label) => label === "prod" || label === "dev",
    ...options,
  });
  return {
    cluster,
    internet,
    resolver,
    ask: async (name: string) => {
      const answer = await resolver.answer(query(name));
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
  assert.equal(await it.ask("web.prod"), "web.prod A 10.96.0.2");
  assert.equal(await it.ask("web.prod.svc"), "web.prod.svc A 10.96.0.2");
  assert.equal(
    await it.ask("web.prod.svc.cluster.local"),
    "web.prod.svc.cluster.local A 10.96.0.2",
  );
  assert.deepEqual(it.internet, []);
});

Deno.test("names of the Internet never reach the cluster", async () => {
  await using it = await setUp();
  assert.equal(await it.ask("www.example.com"), "www.example.com A 192.0.2.1");
  assert.equal(await it.ask("nobody.example.com"), "NXDOMAIN");
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

Deno.test("while the cluster is out of reach its names fail in time, and the Internet's do not", async () => {
  await using it = await setUp({ timeoutMs: 200 });
  it.cluster.isDown = true;
  assert.equal(await it.ask("web.prod.svc.cluster.local"), "SERVFAIL");
  assert.equal(await it.ask("web"), "SERVFAIL");
  assert.equal(await it.ask("google.dev"), "google.dev A 192.0.2.2");
  it.cluster.isDown = false;
  assert.equal(await it.ask("web"), "web A 10.96.0.1");
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
