import assert from "node:assert/strict";
import fc from "fast-check";
import type { AgentStatus } from "../../../../src/link/agent/agent_config.ts";
import {
  readStatus,
  STATUS_BYTES,
} from "../../../../src/cluster/object/agent_status.ts";
import { type Break, broken } from "../broken.ts";
import { NOW } from "../leftovers.ts";

const status: AgentStatus = {
  attached: true,
  since: NOW,
  connections: { client: 1, fallback: 0 },
  startedAt: NOW - 5,
  clients: { abcdefghij: { attached: true, since: NOW } },
};

Deno.test("an agent's answer reads as it was given", () => {
  assert.deepEqual(readStatus(JSON.stringify(status), NOW), status);
});

Deno.test("its times are by the cluster's clock, whatever its node's says", () => {
  const slow = { ...status, now: NOW + 30 };
  for (const offSeconds of [-600, 0, 600]) {
    const told = JSON.stringify({
      ...slow,
      since: slow.since + offSeconds,
      startedAt: slow.startedAt + offSeconds,
      now: slow.now + offSeconds,
      clients: {
        abcdefghij: { attached: true, since: NOW + offSeconds },
      },
    });
    assert.deepEqual(readStatus(told, NOW + 30), status);
  }
});

const client = status.clients["abcdefghij"];
const BREAKS: Readonly<Record<string, Break>> = {
  "an attachment as text": { attached: "false" },
  "an attachment as a number": { attached: 1 },
  "no time": { since: null },
  "a time without end": { startedAt: 1e300 },
  "no connections": { connections: [] },
  "clients in a list": { clients: [client] },
  "a client of nothing": { clients: { a: null } },
  "a client with a path": { clients: { "a/b": client } },
  "a crowd": {
    clients: Object.fromEntries(
      Array.from({ length: 1_001 }, (_, at) => [`s${at}`, client]),
    ),
  },
};

for (const [what, change] of Object.entries(BREAKS)) {
  Deno.test(`an agent's answer with ${what} is none`, () => {
    assert.equal(
      readStatus(JSON.stringify({ ...status, ...change }), NOW),
      undefined,
    );
  });
}

Deno.test("an agent's answer that is too long, or none, is none", () => {
  const text = JSON.stringify(status);
  assert.equal(readStatus(text + " ".repeat(STATUS_BYTES), NOW), undefined);
  for (const one of ["", "null", "[]", "404 page not found", "[".repeat(1e5)]) {
    assert.equal(readStatus(one, NOW), undefined);
  }
});

Deno.test("whatever an agent answers, reading does not throw, and a client has no name of a prototype's", () => {
  fc.assert(
    fc.property(broken(status), (value) => {
      const read = readStatus(JSON.stringify(value), NOW);
      assert.ok(read === undefined || typeof read.attached === "boolean");
      assert.ok(
        read === undefined || !Object.hasOwn(read.clients, "__proto__"),
      );
    }),
    { numRuns: 1_000 },
  );
});
