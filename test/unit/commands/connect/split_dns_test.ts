import assert from "node:assert/strict";
import {
  SplitDns,
  type SplitDnsSystem,
} from "../../../../src/commands/connect/split_dns.ts";
import type { RootHelper } from "../../../../src/plugins/plugin.ts";

/** What the helper was asked for, as namespaces come and go. */
async function reconciled(
  system: SplitDnsSystem & {
    readonly leftOut?: string[];
    readonly cidrs?: readonly string[];
  },
  ...namespaces: string[][]
): Promise<[name: string, args: Record<string, unknown>][]> {
  const calls: [string, Record<string, unknown>][] = [];
  const root = {
    open(name: string, args: Record<string, unknown>) {
      calls.push([name, args]);
      return Promise.resolve({ result: undefined, close: async () => {} });
    },
  } as unknown as RootHelper;
  const split = new SplitDns({
    root,
    system,
    clusterDomain: "cluster.local",
    cidrs: system.cidrs ?? [],
    includeDomains: [],
    search: ["shop.svc.cluster.local", "svc.cluster.local"],
    onLeftOut: (namespaces) => system.leftOut?.push(...namespaces),
  });
  for (const names of namespaces) await split.reconcile(names);
  return calls;
}

Deno.test("the system is asked again only where namespaces make other domains", async () => {
  const calls = await reconciled(
    { kind: "macos", port: 5353 },
    ["shop"],
    ["shop"],
    ["shop", "db"],
    ["db"],
  );
  const domains = calls.map(([name, { nameserver, port, domains }]) => {
    assert.deepEqual([name, nameserver, port], [
      "resolver.macos",
      "127.0.0.1",
      5353,
    ]);
    return domains as string[];
  });
  assert.equal(domains.length, 3);
  const has = (at: number) =>
    ["cluster.local", "shop", "db"].filter((one) => domains[at]!.includes(one));
  assert.deepEqual(has(0), ["cluster.local", "shop"]);
  assert.deepEqual(has(1), ["cluster.local", "shop", "db"]);
  assert.deepEqual(has(2), ["cluster.local", "db"]);
});

Deno.test("systemd-resolved gets no more domains than it takes, the session's own namespace first", async () => {
  const others = Array.from({ length: 300 }, (_, at) => `n${at}`);
  const leftOut: string[] = [];
  const device = "ktctl0";
  const [[, { routed, search }]] = await reconciled(
    { kind: "systemd-resolved", device, leftOut },
    [...others, "shop"],
    [...others, "shop", "more"],
  ) as [[string, { routed: string[]; search: string[] }]];
  assert.equal(routed.length + search.length, 256);
  for (const name of ["cluster.local", "svc", "shop", "n0"]) {
    assert.ok(routed.includes(name), name);
  }
  assert.equal(leftOut.length, 301 - (256 - 2 - 2));
  assert.equal(leftOut.at(-1), "n299");
});

Deno.test("systemd-resolved has room for namespaces beside the ranges of hundreds of nodes", async () => {
  const cidrs = Array.from({ length: 250 }, (_, at) => `10.20.${at}.0/24`);
  const leftOut: string[] = [];
  const [[, { routed }]] = await reconciled(
    { kind: "systemd-resolved", device: "ktctl0", leftOut, cidrs },
    ["shop", "db"],
  ) as [[string, { routed: string[] }]];
  assert.ok(routed.length < 256, `${routed.length} domains`);
  for (const name of ["shop", "db", "20.10.in-addr.arpa"]) {
    assert.ok(routed.includes(name), name);
  }
  assert.deepEqual(leftOut, []);
});

Deno.test("each system gets what it can use: search domains by device or suffix", async () => {
  const [resolved] = await reconciled(
    { kind: "systemd-resolved", device: "ktctl0" },
    ["shop"],
  );
  assert.equal(resolved?.[0], "resolver.systemd-resolved");
  assert.equal(resolved?.[1]["device"], "ktctl0");
  assert.deepEqual(resolved?.[1]["search"], [
    "shop.svc.cluster.local",
    "svc.cluster.local",
  ]);
  const windows = { kind: "windows", session: "abcde" } as const;
  const [plain] = await reconciled(windows, ["shop"]);
  assert.equal(plain?.[0], "resolver.nrpt");
  assert.equal(plain?.[1]["session"], "abcde");
  assert(!("suffix" in plain![1]));
  const suffix = "shop.svc.cluster.local";
  const [own] = await reconciled({ ...windows, suffix }, ["shop"]);
  assert.equal(own?.[1]["suffix"], suffix);
});
