import assert from "node:assert/strict";
import type { CapturedRanges } from "../../../../src/commands/connect/captured_ranges.ts";
import {
  followCaptured,
  type FollowCapturedOptions,
} from "../../../../src/commands/connect/follow_captured.ts";
import type { LocalResolver } from "../../../../src/net/dns/detect_resolver.ts";
import type { Transport } from "../../../../src/plugins/plugin.ts";

/** A session whose machine asks the new name servers `now` as soon as it is followed. */
async function follow(
  now: readonly string[],
  { update, ranges }: Pick<Transport, "update"> & { ranges?: CapturedRanges },
) {
  const warnings: string[] = [];
  const names = {
    servers: ["192.0.2.1"] as readonly string[],
    followServers(onOthers: (local: LocalResolver) => Promise<void>) {
      names.servers = [...now, ...names.servers];
      const upstreams = now.map((host) => ({ host }));
      return onOthers({ kind: "resolv-conf", upstreams, search: [] });
    },
  };
  const options = {
    session: {
      scope: { background: () => {} },
      report: {
        warn: (code: string) => void warnings.push(code),
        debug: () => {},
      },
    },
    plugin: { name: "fake" },
    transport: { ...(update && { update }) },
    ranges,
    names,
  };
  await followCaptured(options as unknown as FollowCapturedOptions);
  return warnings;
}

/** Ranges that leave out the address of a name server among them. */
function fakeRanges(nameServer: string): CapturedRanges {
  const ranges = {
    cidrs: ["10.96.0.0/12"],
    setNameServers(hosts: readonly string[]) {
      if (hosts.includes(nameServer)) ranges.cidrs = ["10.104.0.0/13"];
      return Promise.resolve();
    },
  };
  return ranges as unknown as CapturedRanges;
}

Deno.test("queries to new name servers are captured at once, and the servers themselves left out", async () => {
  const calls: [string, string][] = [];
  const update: Transport["update"] = (cidrs, servers) => {
    calls.push([cidrs.join(), servers.join()]);
    return Promise.resolve();
  };
  const ranges = fakeRanges("10.96.0.2");
  assert.deepEqual(await follow(["10.96.0.2"], { update, ranges }), []);
  assert.deepEqual(calls, [
    ["10.96.0.0/12", "10.96.0.2,192.0.2.1"],
    ["10.104.0.0/13", "10.96.0.2,192.0.2.1"],
  ]);
});

Deno.test("name servers outside of the captured ranges are taken in by one update", async () => {
  let calls = 0;
  const update = () => Promise.resolve(void calls++);
  const ranges = fakeRanges("10.96.0.2");
  assert.deepEqual(await follow(["192.0.2.7"], { update, ranges }), []);
  assert.equal(calls, 1);
});

Deno.test("a transport that cannot follow other name servers is told of", async () => {
  assert.deepEqual(await follow(["192.0.2.7"], {}), ["NAME_SERVERS_CHANGED"]);
});
