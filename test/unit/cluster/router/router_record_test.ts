import assert from "node:assert/strict";
import fc from "fast-check";
import { parseMark } from "../../../../src/cluster/router/mesh_mark.ts";
import { routerConfig } from "../../../../src/cluster/router/router_config.ts";
import { routerConfigMap } from "../../../../src/cluster/router/router_objects.ts";
import {
  KNOWS_MORE_KEY,
  readRouter,
  routerRecord,
  STATE_KEY,
} from "../../../../src/cluster/router/router_record.ts";
import type { RouterState } from "../../../../src/cluster/router/router_state.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";
import { NOW } from "../leftovers.ts";
import { type Break, broken } from "../broken.ts";

const participants = ["alice", "bob"].map((user, at) => ({
  session: `session${user}`,
  user,
  since: "2026-01-01T00:00:00.000Z",
  mark: parseMark(`kt-mark:${user}`),
  slot: at + 1,
  target: { host: "10.96.0.9", checkPort: 9900 },
}));

const router: RouterState = {
  namespace: "test",
  service: "web",
  podName: "web-kt-router",
  podTarget: "AbC",
  origin: "10.96.0.1",
  ports: [{ name: "kt-8080", port: 8080, servicePort: 80 }],
  statusPort: 9900,
  runtimePort: 9901,
  lowPorts: false,
  participants,
};

function configMap(record: unknown): KubeObject {
  const made = routerConfigMap(router, NOW);
  return { ...made, data: { [STATE_KEY]: JSON.stringify(record) } };
}

const record = JSON.parse(routerRecord(router)[STATE_KEY]!);

Deno.test("a router's record reads as it was written", () => {
  assert.deepEqual(readRouter(routerConfigMap(router, NOW)), { value: router });
  const { participants: _, ...rest } = router;
  const closing: RouterState = { ...rest, participants: [], closing: true };
  assert.deepEqual(readRouter(routerConfigMap(closing, NOW)), {
    value: closing,
  });
});

Deno.test("a router is its ConfigMap's, which keeps neither its own names nor its uid", () => {
  const made = routerConfigMap(router, NOW);
  made.metadata.uid = "u1";
  const read = readRouter(made);
  assert.ok(read.reason === undefined);
  assert.equal(read.value.uid, "u1");
  const written = JSON.parse(routerRecord(read.value)[STATE_KEY]!);
  for (const name of ["namespace", "service", "podTarget", "uid", "image"]) {
    assert.equal(written[name], undefined, name);
  }
});

function crowd(count: number): RouterState {
  const crowd = Array.from({ length: count }, (_, at) => ({
    ...participants[0]!,
    session: `session${at}`,
    slot: at + 1,
    knowsMore: true as const,
  }));
  return { ...router, participants: crowd };
}

Deno.test("a record says that it is of a later version only where an earlier ktctl could not understand it", () => {
  for (const [count, version] of [[32, 2], [33, 3], [128, 3]] as const) {
    const made = routerConfigMap(crowd(count), NOW);
    assert.equal(JSON.parse(made.data[STATE_KEY]).version, version);
    assert.deepEqual(readRouter(made), { value: crowd(count) });
  }
});

Deno.test("an earlier ktctl may write the record: who knows of more places is still known", () => {
  const made = routerConfigMap(crowd(2), NOW);
  const record = JSON.parse(made.data[STATE_KEY]);
  const joined = { ...first, session: "earlier", slot: 3 };
  record.participants.push(joined);
  made.data[STATE_KEY] = JSON.stringify(record);
  const read = readRouter(made);
  assert.ok(read.reason === undefined);
  assert.deepEqual(read.value.participants, [
    ...crowd(2).participants,
    joined,
  ]);
});

for (
  const [what, text] of [["no JSON", "{"], ["no list", '"a"'], [
    "a session that is a selector",
    '["a,kt-role!=x"]',
  ]] as const
) {
  Deno.test(`${what} in place of those who know of more places is refused`, () => {
    const made = routerConfigMap(router, NOW);
    made.data[KNOWS_MORE_KEY] = text;
    assert.match(readRouter(made).reason ?? "", /knows-more/);
  });
}

Deno.test("one of before is understood, without the image and the selector that it names", () => {
  const before = {
    ...record,
    version: 1,
    namespace: "test",
    service: "web",
    podTarget: "AbC",
    image: "evil:1",
    original: { app: "evil" },
  };
  assert.deepEqual(readRouter(configMap(before)), { value: router });
});

const [first, second] = record.participants;
const BREAKS: Readonly<Record<string, Break>> = {
  "another namespace": { namespace: "other" },
  "another Service": { service: "db" },
  "another pod": { podName: "db-0" },
  "another router's pod": { podName: "db-kt-router" },
  "a pod of a Service with a longer name": {
    podName: "web-kt-router-kt-router",
  },
  "another version": { version: 4 },
  "no ports": { ports: [] },
  "a port as text": { statusPort: "9900" },
  "a port that is none": { runtimePort: 65_536 },
  "a port twice": { ports: [record.ports[0], record.ports[0]] },
  "a port's name with a line": {
    ports: [{ name: "a\nb", port: 1, servicePort: 1 }],
  },
  "no origin's address": { origin: "web.other" },
  "an address with a line": { origin: "10.96.0.1\n  bind :1" },
  "truth as text": { lowPorts: "false" },
  "nobody": { participants: null },
  "more than there are places": {
    participants: Array.from(
      { length: 129 },
      (_, at) => ({ ...first, session: `s${at}`, slot: at + 1 }),
    ),
  },
  "a slot for two": { participants: [first, { ...second, slot: 1 }] },
  "somebody twice": {
    participants: [first, { ...second, session: first.session }],
  },
  "a slot that is none": { participants: [{ ...first, slot: 129 }] },
  "a mark with a line": {
    participants: [{ ...first, mark: { key: "version", value: "a\nb" } }],
  },
  "a mark with a space": {
    participants: [{ ...first, mark: { key: "version", value: "a b" } }],
  },
  "a mark with a command": {
    participants: [{ ...first, mark: { key: "version", value: "a;shutdown" } }],
  },
  "a reserved header": {
    participants: [{ ...first, mark: { key: "host", value: "a" } }],
  },
  "a header in capitals": {
    participants: [{ ...first, mark: { key: "Version", value: "a" } }],
  },
  "a host with a port": {
    participants: [{ ...first, target: { host: "1.2.3.4:5", checkPort: 1 } }],
  },
  "a time that is none": { participants: [{ ...first, since: "yesterday" }] },
  "a session that is a selector": {
    participants: [{ ...first, session: "a,kt-role!=x" }],
  },
  "an end with somebody in it": { closing: true },
};

for (const [what, change] of Object.entries(BREAKS)) {
  Deno.test(`a router's record with ${what} is refused`, () => {
    assert.equal(
      typeof readRouter(configMap({ ...record, ...change })).reason,
      "string",
    );
  });
}

Deno.test("a router's ConfigMap under another name, without its label, or too large is refused", () => {
  const good = configMap(record);
  const renamed = (metadata: object): KubeObject => ({
    ...good,
    metadata: { ...good.metadata, ...metadata },
  });
  assert.equal(readRouter(good).reason, undefined);
  for (const name of ["web", "-kt-router", "web-kt-stuntman"]) {
    assert.notEqual(readRouter(renamed({ name })).reason, undefined, name);
  }
  assert.notEqual(readRouter(renamed({ labels: {} })).reason, undefined);
  assert.match(
    readRouter({
      ...good,
      data: { [STATE_KEY]: JSON.stringify(record) + " ".repeat(300_000) },
    }).reason ?? "",
    /longer than/,
  );
});

Deno.test("whatever is in a router's record, reading does not throw, and haproxy gets no line and no command of it", () => {
  fc.assert(
    fc.property(broken(record), (value) => {
      const read = readRouter(configMap(value));
      if (read.reason !== undefined) return;
      const state = read.value;
      assert.equal(state.namespace, "test");
      assert.equal(state.service, "web");
      const config = routerConfig(state);
      const empty: RouterState = { ...state, participants: [] };
      assert.deepEqual(config, routerConfig(empty));
      assert.doesNotMatch(config.join(""), /(?!\n)\p{Cc}/u);
    }),
    { numRuns: 2_000 },
  );
});
