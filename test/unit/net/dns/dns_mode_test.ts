import assert from "node:assert/strict";
import { parseDnsMode } from "../../../../src/net/dns/dns_mode.ts";

Deno.test("the modes of --dnsMode, with and without more", () => {
  assert.deepEqual(parseDnsMode("localDNS"), { kind: "localDNS" });
  assert.deepEqual(parseDnsMode("podDNS"), { kind: "podDNS" });
  assert.deepEqual(parseDnsMode("hosts"), { kind: "hosts", namespaces: [] });
  assert.deepEqual(parseDnsMode("hosts:prod, dev"), {
    kind: "hosts",
    namespaces: ["prod", "dev"],
  });
});

Deno.test("an order names the cluster, the name servers of before, and addresses", () => {
  assert.deepEqual(
    parseDnsMode(
      "localDNS:upstream,cluster,tcp:upstream:5353,udp:10.0.0.2,[fd00::1]:54,1.1.1.1:53",
    ),
    {
      kind: "localDNS",
      order: [
        { kind: "upstream" },
        { kind: "cluster" },
        { kind: "upstream", protocol: "tcp", port: 5353 },
        { kind: "server", server: { host: "10.0.0.2", protocol: "udp" } },
        { kind: "server", server: { host: "fd00::1", port: 54 } },
        { kind: "server", server: { host: "1.1.1.1", port: 53 } },
      ],
    },
  );
});

Deno.test("what is none of these is refused", () => {
  const wrong = [
    "",
    "dns",
    "podDNS:x",
    "localDNS:nowhere",
    "localDNS:1.1.1.1:0",
    "localDNS:1.1.1.1:70000",
    "localDNS:999.1.1.1",
    "hosts:Prod",
    "hosts:a/b",
  ];
  for (const text of wrong) {
    assert.throws(() => parseDnsMode(text), { code: "DNS_MODE_INVALID" }, text);
  }
});
