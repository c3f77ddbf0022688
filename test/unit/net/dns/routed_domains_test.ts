import assert from "node:assert/strict";
import fc from "fast-check";
import {
  contains,
  parseCidr,
  reverseAddress,
} from "../../../../src/net/dns/reverse_name.ts";
import {
  reverseZones,
  routedDomains,
} from "../../../../src/net/dns/routed_domains.ts";

Deno.test("what is split by domain is the cluster's domain, each namespace, and the names of addresses", () => {
  assert.deepEqual(
    routedDomains({
      clusterDomain: "Cluster.local.",
      namespaces: ["default", "prod"],
      cidrs: ["10.244.0.0/16"],
      includeDomains: [".corp.example"],
      ingressHosts: ["shop.example.com", "*.apps.example.com"],
    }),
    [
      "cluster.local",
      "svc",
      "default",
      "prod",
      "244.10.in-addr.arpa",
      "corp.example",
      "shop.example.com",
      "apps.example.com",
    ],
  );
});

Deno.test("the reverse zones of a range hold the names of its addresses and no others", () => {
  const name = (address: string) =>
    address.split(".").reverse().join(".") + ".in-addr.arpa";
  fc.assert(
    fc.property(
      fc.ipV4(),
      fc.integer({ min: 1, max: 32 }),
      fc.ipV4(),
      fc.boolean(),
      (base, bits, other, isNear) => {
        // near: the same first octets, so that both outcomes come up
        const address = isNear
          ? [...base.split(".").slice(0, 2), ...other.split(".").slice(2)]
            .join(".")
          : other;
        const cidr = `${base}/${bits}`;
        const inZones = reverseZones(cidr).some((zone) =>
          name(address) === zone || name(address).endsWith(`.${zone}`)
        );
        assert.equal(inZones, contains(parseCidr(cidr), address));
      },
    ),
  );
});

Deno.test("the reverse zones of an IPv6 range", () => {
  const zones = reverseZones("fd00:10:20::/46");
  assert.deepEqual(zones, [
    "0.2.0.0.0.1.0.0.0.0.d.f.ip6.arpa",
    "1.2.0.0.0.1.0.0.0.0.d.f.ip6.arpa",
    "2.2.0.0.0.1.0.0.0.0.d.f.ip6.arpa",
    "3.2.0.0.0.1.0.0.0.0.d.f.ip6.arpa",
  ]);
  const [whole] = reverseZones("fd00:10::1/128");
  assert.equal(
    reverseAddress(whole ?? ""),
    "fd00:0010:0000:0000:0000:0000:0000:0001",
  );
});

Deno.test("of many ranges the zones that lie closest become wider ones: few, with all of their names", () => {
  const nodes = Array.from({ length: 240 }, (_, at) => `10.20.${at}.0/24`);
  const pods = Array.from({ length: 40 }, (_, at) => `fd00:1:0:${at + 1}::/64`);
  const cidrs = ["10.96.0.0/12", "192.168.7.0/24", ...nodes, ...pods];
  const zones = routedDomains({
    clusterDomain: "cluster.local",
    namespaces: [],
    cidrs,
  }).slice(2);
  assert.ok(zones.length <= 64, `${zones.length} zones`);
  for (const zone of cidrs.flatMap(reverseZones)) {
    assert.ok(
      zones.some((one) => zone === one || zone.endsWith(`.${one}`)),
      zone,
    );
  }
  for (const exact of ["20.10.in-addr.arpa", "7.168.192.in-addr.arpa"]) {
    assert.ok(zones.includes(exact), exact);
  }
});
