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
