import assert from "node:assert/strict";
import * as v from "valibot";
import { hostsOperation } from "../../../../src/helper/operations/hosts_operation.ts";
import { macosResolverOperation } from "../../../../src/helper/operations/macos_resolver_operation.ts";
import { port53Operation } from "../../../../src/helper/operations/port53_operation.ts";
import { resolvConfOperation } from "../../../../src/helper/operations/resolv_conf_operation.ts";
import { systemdResolvedOperation } from "../../../../src/helper/operations/systemd_resolved_operation.ts";

const HOSTILE = [
  "",
  ".",
  "..",
  "../../etc/passwd",
  "a/b",
  "a b",
  "a\nnameserver 1.1.1.1",
  "-x",
  "a..b",
  "a;b",
  "$(id)",
  "x".repeat(300),
];

Deno.test("the resolver operations take names, addresses and ports, and nothing that could be more", () => {
  const nameserver = "127.0.0.1";
  for (const bad of HOSTILE) {
    const calls: [{ args: v.GenericSchema }, unknown][] = [
      [resolvConfOperation, { nameserver, search: [bad] }],
      [resolvConfOperation, { nameserver: bad, search: [] }],
      [hostsOperation, { entries: [{ address: nameserver, names: [bad] }] }],
      [hostsOperation, { entries: [{ address: bad, names: ["a"] }] }],
      [macosResolverOperation, { nameserver, port: 53, domains: [bad] }],
      [systemdResolvedOperation, {
        device: bad,
        nameserver,
        search: [],
        routed: ["a"],
      }],
      [systemdResolvedOperation, {
        device: "kt0",
        nameserver,
        search: [],
        routed: [bad],
      }],
      [port53Operation, { address: bad, targetPort: 1 }],
    ];
    for (const [{ args }, value] of calls) {
      assert.equal(v.is(args, value), false, JSON.stringify(value));
    }
  }
  assert.equal(
    v.is(port53Operation.args, { address: nameserver, targetPort: 0 }),
    false,
  );
  assert.equal(
    v.is(resolvConfOperation.args, { nameserver, search: [], path: "/x" }),
    false,
  );
});

Deno.test("the resolver operations take what the cluster has", () => {
  const domains = ["svc", "cluster.local", "0.96.10.in-addr.arpa", "my_ns"];
  assert.ok(v.is(resolvConfOperation.args, {
    nameserver: "fd00::53",
    search: domains,
  }));
  assert.ok(v.is(macosResolverOperation.args, {
    nameserver: "127.0.0.1",
    port: 10053,
    domains,
  }));
});
