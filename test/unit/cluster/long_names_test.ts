// Names made of names that are as long as Kubernetes allows, as Helm's charts make them.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  gatewayRules,
  markedSubset,
} from "../../../src/cluster/router/istio_rules.ts";
import { meshConfig, meshName } from "../../../src/cluster/router/mesh_mark.ts";
import { belongsTo } from "../../../src/cluster/router/router_state.ts";
import {
  readScaleRecord,
  scaleRecord,
} from "../../../src/cluster/scale/scale_record.ts";
import { shadowName } from "../../../src/cluster/shadow/shadow_name.ts";
import {
  refuseForeignStuntman,
  stuntmanSelector,
  stuntmanService,
} from "../../../src/cluster/service/stuntman.ts";
import { routerName, stuntmanName } from "../../../src/kube/annotations.ts";
import type { KubeObject } from "../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";
import {
  actionsOf,
  cleanChanges,
  FRESH,
  made,
  NOW,
  OLD,
  own,
  recoverChanges,
  state,
} from "./leftovers.ts";

const LONG = `${"long-release-name-of-a-chart-".repeat(2)}abcde`;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const MARK = { key: "version", value: "alice" };

const service = own("Service", LONG, {
  selector: { "kt-role": "router", "kt-target": "AbC" },
  ports: [{ port: 80 }],
}, { "kt-selector": '{"app":"web"}' });

/** A Service whose own Stuntman is called as that of the long one is. */
const OTHER = stuntmanName(LONG).slice(0, -"-kt-stuntman".length);

function stuntman(now = Number(FRESH)): KubeObject {
  return stuntmanService(service, {
    selector: { app: "web" },
    session: "s1",
    now,
  });
}

Deno.test("the names of short ones stay what the original ktctl calls them", () => {
  assert.equal(LONG.length, 63);
  assert.equal(stuntmanName("web"), "web-kt-stuntman");
  assert.equal(routerName("web"), "web-kt-router");
  assert.equal(meshName("web", { ...MARK, value: "0.1" }), "web-kt-mesh-0-1");
  assert.equal(meshConfig("web", MARK), "service=web-kt-mesh-alice");
  assert.equal(
    stuntmanName("a".repeat(51)),
    `${"a".repeat(51)}-kt-stuntman`,
  );
  assert.equal(
    shadowName("exchange", { namePrefix: "web" }),
    "web-kt-exchange",
  );
});

Deno.test("whatever a Service and a mark are called, both fit into names of Services", () => {
  const names = fc.stringMatching(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
  const marks = fc.stringMatching(/^[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?$/);
  fc.assert(fc.property(names, marks, (name, value) => {
    const mark = { key: "version", value };
    assert.match(stuntmanName(name), DNS_LABEL);
    assert.match(meshName(name, mark), DNS_LABEL);
    const rules = { namespace: "test", service: name, mark };
    assert.match(markedSubset(rules).name, DNS_LABEL);
    for (
      const { kind, metadata } of gatewayRules(rules, {
        selector: {},
        ports: [],
      })
    ) if (kind === "Service") assert.match(metadata.name, DNS_LABEL);
  }));
});

Deno.test("two marks of one long Service have names of their own, which show them", () => {
  const [a, b] = ["alice", "bob"].map((value) =>
    meshName(LONG, { key: "version", value })
  );
  assert.notEqual(a, b);
  assert.ok(a!.endsWith("-kt-mesh-alice"));
});

Deno.test("a Deployment of 242 characters, the longest that can have pods, has a record and a Shadow Pod", () => {
  const deployment = own("Deployment", "d".repeat(242), { replicas: 2 });
  const record = scaleRecord(deployment, {
    namespace: "test",
    session: "s1",
    user: "alice",
    now: NOW,
  });
  assert.ok(record.metadata.name.length <= 253);
  assert.equal(readScaleRecord(record)?.replicas, 2);
  const name = shadowName("exchange", { namePrefix: "d".repeat(242) });
  assert.ok(`${name}-abcde-1234567890-abcde`.length <= 253);
  assert.ok(name.endsWith("-kt-exchange"));
});

Deno.test("a cut Stuntman Service is that of the Service that it names, and of no other", async () => {
  const ours = stuntman();
  ours.metadata.annotations!["ktctl.dev/router"] = "1";
  assert.ok(belongsTo(ours, { service: LONG }));
  refuseForeignStuntman(ours, LONG);
  const taken = made("Service", stuntmanName(LONG), {
    annotations: { "ktctl.dev/router": "1" },
  }, { selector: { app: "evil" } });
  assert.equal(stuntmanName(OTHER), stuntmanName(LONG));
  assert.ok(!belongsTo(taken, { service: LONG }));
  assert.throws(() => refuseForeignStuntman(taken, LONG), {
    code: "STUNTMAN_NAME_TAKEN",
  });
  const where = { service: LONG, namespace: "test" };
  const read = (object: KubeObject) =>
    stuntmanSelector(new MemoryKube(object).api, where);
  assert.deepEqual(await read(ours), { app: "web" });
  assert.equal(await read(taken), undefined);
});

const shadow = made("Pod", meshName(LONG, MARK), {
  heartbeat: FRESH,
  session: "s1",
  role: "shadow-mesh",
  target: "XyZ",
  config: meshConfig(LONG, MARK),
});

async function recovered(one: KubeObject): Promise<string[]> {
  const all = state({
    services: [one, stuntman()],
    pods: [shadow],
  });
  return actionsOf(await recoverChanges(one, all));
}

Deno.test("recover of a long Service takes its mesh and its Stuntman Service back, and leaves those of a Service that is called like what was left of it", async () => {
  const repairs = await recovered(service);
  assert.ok(repairs.includes(`delete Pod "${shadow.metadata.name}"`));
  assert.ok(repairs.includes(`delete Service "${stuntmanName(LONG)}"`));
  const cut = shadow.metadata.name.slice(0, -"-kt-mesh-alice".length);
  for (const name of [OTHER, cut]) {
    assert.deepEqual(
      await recovered(own("Service", name, { selector: {} })),
      [],
    );
  }
});

Deno.test("clean sees by its Stuntman Service that an exchange of a long Service lives, or not", async () => {
  const exchanged = own("Service", LONG, {
    selector: { "kt-role": "shadow-exchange", "kt-target": "AbC" },
  }, { "kt-selector": '{"app":"web"}' });
  const cleaned = async (beat: string) =>
    actionsOf(
      await cleanChanges({ services: [exchanged, stuntman(Number(beat))] }),
    );
  assert.deepEqual(await cleaned(FRESH), []);
  assert.deepEqual(await cleaned(OLD), [
    `restore the selector of Service "${LONG}" to app=web`,
    `delete Service "${stuntmanName(LONG)}"`,
  ]);
});
