import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type CaptureWishes,
  planCapture,
} from "../../../src/net/capture_plan.ts";
import { Cidr } from "../../../src/net/cidr.ts";
import { overlapsAny } from "../../../src/net/cidr_list.ts";
import type { LocalNetworks } from "../../../src/net/local_network.ts";

const cidrs = (...texts: string[]) => texts.map(Cidr.parse);

function laptop(
  networks: [cidr: string, device: string, kind?: "on-link" | "route"][],
  addresses: string[] = [],
  gateways: string[] = [],
): LocalNetworks {
  return {
    networks: networks.map(([cidr, device, kind = "on-link"]) => ({
      cidr: Cidr.parse(cidr),
      device,
      kind,
    })),
    addresses: cidrs(...addresses),
    gateways: cidrs(...gateways),
  };
}

function plan(wishes: Partial<CaptureWishes>) {
  const found = planCapture({ cluster: [], local: laptop([]), ...wishes });
  return {
    cidrs: found.cidrs.map(String),
    clashes: found.clashes.map(({ cluster, local, outcome }) =>
      `${outcome} ${cluster} ${local.cidr} ${local.device}`
    ),
    keptOut: found.keptOut.map(({ cidr, reason }) => `${cidr} ${reason}`),
    messages: found.clashes.map(({ message }) => message).join("\n"),
  };
}

Deno.test("includes are added, excludes win and may split", () => {
  const found = plan({
    cluster: cidrs("10.96.0.0/30", "10.96.0.4/30"),
    include: cidrs("172.16.0.9", "10.0.0.0/8"),
    exclude: cidrs("10.0.0.0/9", "10.128.0.0/10", "10.224.0.0/11"),
  });
  assert.deepEqual(found.cidrs, ["10.192.0.0/11", "172.16.0.9/32"]);
  assert.deepEqual(found.clashes, []);
});

Deno.test("the API server's address never enters the tunnel, even when it is asked for", () => {
  const found = plan({
    cluster: cidrs("10.96.0.0/30"),
    include: cidrs("10.96.0.1"),
    keepOut: [
      { cidr: Cidr.parse("10.96.0.1"), reason: "the API server" },
      { cidr: Cidr.parse("10.1.0.1"), reason: "a name server" },
    ],
  });
  assert.deepEqual(found.cidrs, ["10.96.0.0/32", "10.96.0.2/31"]);
  assert.deepEqual(found.keptOut, ["10.96.0.1/32 the API server"]);
});

Deno.test("a more specific local network is left out and told", () => {
  const found = plan({
    cluster: cidrs("172.16.0.0/14"),
    local: laptop([["172.17.0.0/16", "docker0"]], ["172.17.0.1"]),
  });
  assert.deepEqual(found.cidrs, ["172.16.0.0/16", "172.18.0.0/15"]);
  assert.deepEqual(found.clashes, [
    "left-out 172.16.0.0/14 172.17.0.0/16 docker0",
  ]);
  assert.match(found.messages, /"docker0" is part of .*172\.16\.0\.0\/14/);
});

Deno.test("a wider route, a VPN's say, is told; the cluster's more specific one wins", () => {
  const found = plan({
    cluster: cidrs("10.96.0.0/16"),
    local: laptop([["10.0.0.0/8", "tun0", "route"]]),
  });
  assert.deepEqual(found.cidrs, ["10.96.0.0/16"]);
  assert.deepEqual(found.clashes, ["captured 10.96.0.0/16 10.0.0.0/8 tun0"]);
  assert.match(found.messages, /now lead to the cluster$/);
});

Deno.test("an equal route is told, and taken in halves, so that ours is the narrower one", () => {
  const found = plan({
    cluster: cidrs("10.96.0.0/16"),
    local: laptop([["10.96.0.0/16", "wg0", "route"]]),
  });
  assert.deepEqual(found.cidrs, ["10.96.0.0/17", "10.96.128.0/17"]);
  assert.deepEqual(found.clashes, ["captured 10.96.0.0/16 10.96.0.0/16 wg0"]);
});

Deno.test("a local network that is excluded by the user is no clash", () => {
  const found = plan({
    cluster: cidrs("10.0.0.0/8"),
    exclude: cidrs("10.1.0.0/16"),
    local: laptop([["10.1.2.0/24", "eth0"]], ["10.1.2.3"], ["10.1.2.1"]),
  });
  assert.deepEqual([found.clashes, found.keptOut], [[], []]);
});

Deno.test("asking for everything takes neither loopback nor the way out", () => {
  const found = plan({
    include: cidrs("0.0.0.0/0", "::/0"),
    local: laptop([["192.168.1.0/24", "wlan0"]], ["192.168.1.20", "fd01::20"], [
      "192.168.1.1",
      "10.9.9.9",
    ]),
  }).cidrs.map(Cidr.parse);
  for (
    const kept of cidrs(
      "127.0.0.1",
      "169.254.169.254",
      "192.168.1.20",
      "192.168.1.1",
      "192.168.1.77",
      "10.9.9.9",
      "224.0.0.251",
      "::1",
      "fe80::1",
      "fd01::20",
      "ff02::fb",
    )
  ) assert.ok(!overlapsAny(kept, found), `${kept} is captured`);
  for (const taken of cidrs("1.1.1.1", "10.9.9.8", "fd01::21", "2001:db8::1")) {
    assert.ok(overlapsAny(taken, found), `${taken} is not captured`);
  }
});

Deno.test("whatever the networks: nothing to keep out is captured, nothing else is lost", () => {
  const cidr = fc.tuple(
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 24, max: 32 }),
  ).map(([low, prefix]) => new Cidr(4, 0x0a000000n + BigInt(low), prefix));
  const list = fc.array(cidr, { maxLength: 5 });
  fc.assert(fc.property(list, list, list, list, (cluster, ex, nets, own) => {
    const local: LocalNetworks = {
      networks: nets.map((cidr) => ({ cidr, device: "d", kind: "route" })),
      addresses: own.map((one) => one.withPrefix(32)),
      gateways: [],
    };
    const plan = planCapture({ cluster, exclude: ex, local });
    const out = [
      ...ex,
      ...local.addresses,
      ...plan.clashes.filter((one) => one.outcome === "left-out")
        .map((one) => one.local.cidr),
    ];
    for (let at = 0x0a000000n; at < 0x0a000100n; at++) {
      const address = new Cidr(4, at, 32);
      assert.equal(
        overlapsAny(address, plan.cidrs),
        overlapsAny(address, cluster) && !overlapsAny(address, out),
      );
    }
    for (const one of plan.cidrs) {
      const same = nets.some((net) => net.equals(one) && !net.isSingle);
      assert.ok(!same, `${one} is no narrower than a local route`);
    }
  }));
});
