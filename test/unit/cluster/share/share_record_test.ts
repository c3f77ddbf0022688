import assert from "node:assert/strict";
import fc from "fast-check";
import { agentConfig } from "../../../../src/cluster/shadow/pod_ports.ts";
import {
  readShare,
  shareRecord,
} from "../../../../src/cluster/share/share_record.ts";
import {
  beaten,
  type ShareState,
} from "../../../../src/cluster/share/share_state.ts";
import { shareAnnotations } from "../../../../src/cluster/share/share_store.ts";
import { SHARE_NAME, SHARERS } from "../../../../src/kube/annotations.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";
import { type Break, broken } from "../broken.ts";
import { made, NOW } from "../leftovers.ts";
import { share, shareObjects } from "../shares.ts";

const both = beaten(
  beaten(share(), { session: "a", user: "alice" }, NOW),
  { session: "b", user: "bob" },
  NOW + 9,
);
const record = JSON.parse(shareRecord(both));

function secret(value: unknown): KubeObject {
  const [good] = shareObjects(both).secrets;
  good!.metadata.annotations![SHARERS] = JSON.stringify(value);
  return good!;
}

Deno.test("the record on the Secret reads as it was written, with its number and newest heartbeat", () => {
  const [object] = shareObjects(both).secrets;
  assert.deepEqual(readShare(object!), { value: both });
  const annotations = shareAnnotations(both);
  assert.equal(annotations["kt-ref-count"], "2");
  assert.equal(annotations["kt-last-heart-beat"], String(NOW + 9));
  const closing: ShareState = { ...share(), closing: true };
  assert.deepEqual(readShare(shareObjects(closing).secrets[0]!), {
    value: closing,
  });
});

Deno.test("of the agent's configuration its two ports count alone", () => {
  const agent = {
    ...agentConfig([], { ready: "attached" }),
    sshPort: 2300,
    resolvConfFile: "/etc/passwd",
    ports: [{ port: 80 }],
  };
  const read = readShare(secret({ ...record, agent }));
  assert.deepEqual(read.reason === undefined && read.value.agent, {
    ...agentConfig([], { ready: "always" }),
    sshPort: 2300,
  });
});

const [first] = record.sharers;
const BREAKS: Readonly<Record<string, Break>> = {
  "another version": { version: 2 },
  "another label": { target: "other" },
  "a kind as text": { pod: { ...record.pod, asDeployment: "false" } },
  "no pod": { pod: null },
  "a port that is none": { agent: { sshPort: 0, statusPort: 2223 } },
  "nobody": { sharers: {} },
  "somebody twice": { sharers: [first, first] },
  "a heartbeat as text": { sharers: [{ ...first, beat: "1" }] },
  "a heartbeat without end": { sharers: [{ ...first, beat: 1e300 }] },
  "a session that is a path": { sharers: [{ ...first, session: "../a" }] },
  "a crowd": {
    sharers: Array.from({ length: 501 }, (_, at) => ({
      ...first,
      session: `s${at}`,
    })),
  },
  "an end with somebody in it": { closing: true },
};

for (const [what, change] of Object.entries(BREAKS)) {
  Deno.test(`a share's record with ${what} is refused`, () => {
    assert.equal(
      typeof readShare(secret({ ...record, ...change })).reason,
      "string",
    );
  });
}

Deno.test("a Secret without a record, or under another name, is none of a share's", () => {
  for (const text of [undefined, "", "{}", "null", "not JSON"]) {
    const annotations = text === undefined ? {} : { [SHARERS]: text };
    const object = made("Secret", SHARE_NAME, { target: "ShAre", annotations });
    assert.equal(typeof readShare(object).reason, "string", `${text}`);
  }
  const good = secret(record);
  assert.equal(readShare(good).reason, undefined);
  good.metadata.name = "other";
  assert.equal(typeof readShare(good).reason, "string");
});

Deno.test("whatever is in a share's record, reading does not throw, and numbers are numbers", () => {
  fc.assert(
    fc.property(broken(record), (value) => {
      const read = readShare(secret(value));
      if (read.reason !== undefined) return;
      for (const { since, beat, session } of read.value.sharers) {
        assert.ok(Number.isFinite(since) && Number.isFinite(beat));
        assert.match(session, /^[-\w.]{1,63}$/);
      }
    }),
    { numRuns: 1_000 },
  );
});
