import assert from "node:assert/strict";
import { disturbances } from "../../../../src/core/machine/disturbances.ts";
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
  { update, ranges, isLed = true }: Pick<Transport, "update"> & {
    ranges?: CapturedRanges;
    isLed?: boolean;
  },
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
    isLed,
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

Deno.test("a transport that leads no queries loses the addresses of new name servers, and hears of nothing else", async () => {
  const calls: [string, string][] = [];
  const update: Transport["update"] = (cidrs, servers) => {
    calls.push([cidrs.join(), servers.join()]);
    return Promise.resolve();
  };
  const of = (server: string) =>
    follow([server], {
      update,
      ranges: fakeRanges("10.96.0.2"),
      isLed: false,
    });
  assert.deepEqual(await of("192.0.2.7"), []);
  assert.deepEqual(calls, []);
  assert.deepEqual(await of("10.96.0.2"), []);
  assert.deepEqual(calls, [["10.104.0.0/13", ""]]);
});

Deno.test("after a lost link, a sleep or with other addresses the machine's networks are left out; what fails then is told, and tried again", async () => {
  const ended = new AbortController();
  const warnings: string[] = [];
  const updates: string[] = [];
  const outcomes: (string | Error)[] = [
    "10.96.0.0/12",
    new Error("no ip"),
    "10.104.0.0/13",
  ];
  let worked = Promise.withResolvers<void>();
  const ranges = {
    cidrs: ["10.96.0.0/12"],
    follow: () => Promise.resolve(),
    setNetworks(device: string) {
      assert.equal(device, "ktctl7");
      const outcome = outcomes.shift()!;
      setTimeout(worked.resolve);
      if (outcome instanceof Error) return Promise.reject(outcome);
      ranges.cidrs = [outcome];
      return Promise.resolve();
    },
  };
  const tasks: Promise<void>[] = [];
  await followCaptured({
    session: {
      scope: {
        background: (
          _name: string,
          task: (signal: AbortSignal) => Promise<void>,
        ) => void tasks.push(task(ended.signal)),
      },
      report: {
        warn: (_code: string, text: string) => void warnings.push(text),
      },
    },
    plugin: { name: "fake" },
    transport: {
      device: "ktctl7",
      update: (cidrs: readonly string[]) => {
        updates.push(cidrs.join());
        return Promise.resolve();
      },
    },
    ranges,
    names: undefined,
    isLed: false,
  } as unknown as FollowCapturedOptions);
  for (const expected of [[], [], ["10.104.0.0/13"]]) {
    disturbances.tell();
    await worked.promise;
    worked = Promise.withResolvers();
    assert.deepEqual(updates, expected);
  }
  assert.deepEqual(warnings, ["no ip"]);
  ended.abort(new Error("over"));
  await Promise.allSettled(tasks);
});
