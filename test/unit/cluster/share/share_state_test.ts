import assert from "node:assert/strict";
import type { AgentStatus } from "../../../../src/link/agent/agent_config.ts";
import { secondsToDeath } from "../../../../src/cluster/share/share_deaths.ts";
import {
  beaten,
  isSharer,
  MAX_SHARERS,
  withoutSharers,
} from "../../../../src/cluster/share/share_state.ts";
import { NOW } from "../leftovers.ts";
import { share } from "../shares.ts";

const alice = { session: "a", user: "alice" };
const bob = { session: "b", user: "bob" };

Deno.test("who joins is in it once, and each heartbeat counts from then on", () => {
  const first = beaten(share(), alice, NOW);
  const both = beaten(first, bob, NOW + 5);
  const later = beaten(both, alice, NOW + 60);
  assert.deepEqual(later.sharers, [
    { ...bob, since: NOW + 5, beat: NOW + 5 },
    { ...alice, since: NOW, beat: NOW + 60 },
  ]);
  assert.ok(isSharer(later, "a") && !isSharer(later, "c"));
});

Deno.test("where there is no room the dead make some, and the living do not", () => {
  const full = (beat: number) => ({
    ...share(),
    sharers: Array.from({ length: MAX_SHARERS }, (_, at) => ({
      ...{ session: `s${at}`, user: "ci", since: NOW - 9000 },
      beat: at === 0 ? NOW : beat,
    })),
  });
  const { sharers } = beaten(full(NOW - 8000), alice, NOW);
  assert.deepEqual(sharers.map(({ session }) => session), ["s0", "a"]);
  assert.throws(() => beaten(full(NOW - 60), alice, NOW), {
    code: "SHARE_FULL",
  });
  // who is in it lives on
  const s1 = { session: "s1", user: "ci" };
  assert.equal(beaten(full(NOW - 60), s1, NOW).sharers.length, MAX_SHARERS);
});

Deno.test("it closes with the last one, and not before", () => {
  const both = beaten(beaten(share(), alice, NOW), bob, NOW);
  const one = withoutSharers(both, ["a"]);
  assert.equal(one.closing, undefined);
  assert.equal(withoutSharers(one, ["a"]), one);
  assert.equal(withoutSharers(one, ["b"]).closing, true);
  assert.equal(withoutSharers(both, ["a", "b"]).closing, true);
});

const member = { ...alice, since: NOW - 1000, beat: NOW - 30 };

function status(part: Partial<AgentStatus> = {}): AgentStatus {
  return {
    attached: false,
    since: NOW - 500,
    connections: { client: 0, fallback: 0 },
    startedAt: NOW - 900,
    clients: {},
    ...part,
  };
}

Deno.test("whom the agent has a link to lives, however old the heartbeat", () => {
  const clients = { a: { attached: true, since: NOW - 900 } };
  const old = { ...member, beat: NOW - 10_000 };
  assert.equal(secondsToDeath(old, status({ clients }), NOW), Infinity);
});

Deno.test("whom the agent misses since a moment may come back, and is dead after that", () => {
  const lost = (ago: number) =>
    status({ clients: { a: { attached: false, since: NOW - ago } } });
  assert.equal(secondsToDeath(member, lost(3), NOW), 7);
  assert.equal(secondsToDeath(member, lost(10), NOW), 0);
});

Deno.test("an agent that has just started, or somebody who has just joined, gets the same time", () => {
  const fresh = status({ startedAt: NOW - 2 });
  assert.equal(secondsToDeath(member, fresh, NOW), 8);
  const newcomer = { ...member, since: NOW - 4 };
  assert.equal(secondsToDeath(newcomer, status(), NOW), 6);
  assert.equal(secondsToDeath(member, status(), NOW), 0);
  // its clock goes before
  const early = status({ startedAt: NOW + 100 });
  assert.equal(secondsToDeath(member, early, NOW), 10);
});

Deno.test("without an agent to ask, the heartbeat decides", () => {
  assert.equal(secondsToDeath(member, undefined, NOW), Infinity);
  const silent = { ...member, beat: NOW - 301 };
  assert.equal(secondsToDeath(silent, undefined, NOW), 0);
  const early = { ...member, beat: NOW + 9_999 };
  assert.equal(secondsToDeath(early, undefined, NOW), 0);
});
