// What somebody wrote into a namespace that no ktctl writes there.
import assert from "node:assert/strict";
import { keptObjects } from "../../../src/cluster/clean/kept_objects.ts";
import type { NamespaceState } from "../../../src/cluster/clean/namespace_state.ts";
import { planClean } from "../../../src/cluster/clean/plan_clean.ts";
import { planRecover } from "../../../src/cluster/clean/plan_recover.ts";
import { describeRepair } from "../../../src/cluster/clean/repair.ts";
import { unreadableObjects } from "../../../src/cluster/clean/unreadable.ts";
import type { KubeObject } from "../../../src/kube/kube_api.ts";
import {
  FRESH,
  made,
  NOW,
  OLD,
  own,
  state,
  switchedService,
} from "./leftovers.ts";
import { share, shareObjects, sharer } from "./shares.ts";

function plan(
  part: Partial<NamespaceState>,
  attached: readonly string[] = [],
): string[] {
  return planClean(state(part), {
    now: NOW,
    thresholdMinutes: 5,
    attached: new Set(attached),
    attachedSessions: new Set(),
  }).map(describeRepair);
}

/** A dead participant's router, as the first version wrote it. */
function router(
  { name = "web-kt-router", ...fields }: Record<string, unknown> & {
    name?: string;
  } = {},
): KubeObject {
  const configMap = made("ConfigMap", name, {
    heartbeat: OLD,
    role: "router",
    target: "AbC",
    annotations: { "ktctl.dev/router": "1" },
  });
  const record = {
    version: 1,
    namespace: "test",
    service: "web",
    image: "haproxy:2.6",
    podName: "web-kt-router",
    podTarget: "AbC",
    original: { app: "evil" },
    origin: "10.96.0.1",
    ports: [{ name: "kt-80", port: 80, servicePort: 80 }],
    statusPort: 9900,
    runtimePort: 9901,
    lowPorts: false,
    participants: [{
      session: "gone",
      user: "alice",
      since: "2020-01-01T00:00:00Z",
      mark: { key: "version", value: "a" },
      slot: 1,
    }],
    ...fields,
  };
  return { ...configMap, data: { "state.json": JSON.stringify(record) } };
}

const dead = made("Pod", "old-kt-exchange-abcde", {
  heartbeat: OLD,
  session: "gone2",
  role: "shadow-exchange",
});

Deno.test("clean tells of a router what the Service itself says, not what its ConfigMap does", () => {
  assert.deepEqual(
    plan({ services: [switchedService("router")], configMaps: [router()] }),
    [
      'restore the selector of Service "web" to app=web, and remove its router with alice\'s "version: a"',
    ],
  );
});

Deno.test("clean tells of no selector where a meshed Service leads elsewhere already", () => {
  const service = switchedService("router");
  service.spec.selector = { app: "web2" };
  assert.deepEqual(plan({ services: [service], configMaps: [router()] }), [
    'remove the router of Service "web" with alice\'s "version: a"',
  ]);
});

const HOSTILE: Readonly<Record<string, KubeObject>> = {
  "names another namespace": router({ namespace: "other" }),
  "names another Service": router({ service: "db" }),
  "names a pod that is none of its own": router({ podName: "db-0" }),
  "has participants that are none": router({ participants: { length: 3 } }),
  "is not JSON": { ...router(), data: { "state.json": "garbage" } },
  "is not named as a router's": router({ name: "web" }),
};

for (const [what, configMap] of Object.entries(HOSTILE)) {
  Deno.test(`clean names a router's ConfigMap that ${what}, leaves it alone, and cleans the rest`, () => {
    const all = {
      services: [switchedService("router")],
      configMaps: [configMap],
      pods: [dead],
    };
    assert.deepEqual(plan(all), [
      'restore the selector of Service "web" to app=web',
      'delete Pod "old-kt-exchange-abcde"',
    ]);
    assert.deepEqual(
      unreadableObjects(state(all)).map(({ object }) => object),
      [configMap],
    );
  });
}

Deno.test("clean obeys the record of a shared Shadow Pod on the one Secret that has its name", () => {
  const { secrets: [secret] } = shareObjects(
    share({ sharers: [sharer("a", 900)] }),
  );
  const forged = structuredClone(secret!);
  forged.metadata.name = "forged";
  const all = state({ secrets: [forged] });
  assert.deepEqual(plan(all), []);
  assert.equal(unreadableObjects(all).length, 1);
  assert.equal(plan({ secrets: [secret!] }).length, 1);
});

for (
  const [what, heartbeat] of [
    ["garbage", "soon"],
    ["a fraction", "1.7e9"],
    ["without end", "9".repeat(20)],
  ] as const
) {
  Deno.test(`a heartbeat that is ${what} keeps its session alive no longer, and its object is left alone`, () => {
    const odd = made("Secret", "odd", { heartbeat, session: "gone2" });
    const all = { pods: [dead], secrets: [odd] };
    assert.deepEqual(plan(all), ['delete Pod "old-kt-exchange-abcde"']);
    assert.equal(unreadableObjects(state(all))[0]?.object, odd);
  });
}

Deno.test("a heartbeat from a time that is not yet is no sign of life, but for clocks that differ a little", () => {
  const pod = (seconds: number) =>
    made("Pod", "p", { heartbeat: String(NOW + seconds) });
  assert.deepEqual(plan({ pods: [pod(200)] }), []);
  assert.deepEqual(plan({ pods: [pod(100_000)] }), ['delete Pod "p"']);
  const late = router();
  late.data["state.json"] = late.data["state.json"].replace("2020-", "2999-");
  assert.equal(plan({ configMaps: [late] }).length, 1);
  const { secrets } = shareObjects(share({ sharers: [sharer("a", -900)] }));
  assert.equal(plan({ secrets }).length, 1);
});

Deno.test("a lock from a time that is not yet is void", () => {
  const locked = (at: number) =>
    own("Service", "web", {}, { "kt-lock": String(at) });
  assert.deepEqual(plan({ services: [locked(NOW + 9_999)] }), [
    'remove the expired lock of Service "web"',
  ]);
  assert.deepEqual(plan({ services: [locked(NOW - 9)] }), []);
});

Deno.test("no shadow scales a Deployment to whatever it says", () => {
  for (const replicas of ["999999999", "1e3", "-1", "2.5", "1001"]) {
    const shadow = made("Pod", "web-kt-exchange-abcde", {
      heartbeat: OLD,
      role: "shadow-exchange",
      config: `app=web,replicas=${replicas}`,
    });
    const deployments = [own("Deployment", "web", { replicas: 0 })];
    const scaled = plan({ deployments, pods: [shadow] }).filter((text) =>
      text.startsWith("scale")
    );
    assert.deepEqual(scaled, [], replicas);
  }
});

Deno.test("a Deployment's count that is none is named, and left for its owner to mend", () => {
  const deployment = own("Deployment", "web", { replicas: 0 }, {
    "ktctl.dev/replicas": "-3",
  });
  assert.deepEqual(plan({ deployments: [deployment], pods: [dead] }), [
    'delete Pod "old-kt-exchange-abcde"',
  ]);
  assert.equal(
    unreadableObjects(state({ deployments: [deployment] })).length,
    1,
  );
});

Deno.test("a pod that cannot be read holds no Service, unless its agent has a laptop", () => {
  const pod = made("Pod", "web-kt-exchange-abcde", {
    heartbeat: "soon",
    role: "shadow-exchange",
    target: "AbC",
    config: "service=web",
  });
  const all = { services: [switchedService()], pods: [pod] };
  assert.deepEqual(plan(all), [
    'restore the selector of Service "web" to app=web',
  ]);
  assert.deepEqual(plan(all, [pod.metadata.uid!]), []);
});

Deno.test("recover takes away no session that has something elsewhere, whoever puts its name on a pod", () => {
  const victim = made("Pod", "db-kt-exchange-abcde", {
    heartbeat: FRESH,
    session: "victim",
    role: "shadow-exchange",
    target: "XyZ",
    config: "service=db",
  });
  const forged = made("Pod", "forged", {
    heartbeat: FRESH,
    session: "victim",
    role: "shadow-exchange",
    config: "service=web",
  });
  const service = switchedService();
  const { repairs } = planRecover(
    service,
    state({
      services: [
        service,
        made("Service", "db-kt-stuntman", { session: "victim" }),
      ],
      pods: [victim, forged],
      secrets: [made("Secret", "db-kt-exchange-abcde", { session: "victim" })],
      configMaps: [made("ConfigMap", "forged", { session: "victim" })],
    }),
    "bob",
  );
  assert.deepEqual(
    repairs.filter(({ kind }) => kind === "delete").map(describeRepair),
    ['delete Pod "forged"'],
  );
});

Deno.test("recover names no Service's router that its ConfigMap does not hold", () => {
  const service = switchedService("router");
  const { repairs } = planRecover(
    service,
    state({ services: [service], configMaps: [router({ namespace: "b" })] }),
    "bob",
  );
  assert.deepEqual(repairs.map(describeRepair), [
    'restore the selector of Service "web" to app=web',
  ]);
});

Deno.test("what could not be restored keeps what serves it, with all of its session, and nothing else", () => {
  const service = switchedService();
  const shadow = made("Pod", "web-kt-exchange-abcde", {
    session: "s1",
    role: "shadow-exchange",
    target: "AbC",
  });
  const secret = made("Secret", "web-kt-exchange-abcde", { session: "s1" });
  const stuntman = made("Service", "web-kt-stuntman", { session: "s1" });
  const original = made("ConfigMap", "web-kt-exchange-abcde", {});
  const other = made("Pod", "db-kt-exchange-abcde", {
    session: "s2",
    role: "shadow-exchange",
    target: "XyZ",
    config: "service=db",
  });
  const objects = [shadow, secret, stuntman, original, other];
  const kept = (...failed: Parameters<typeof keptObjects>[0]) => [
    ...keptObjects(failed, objects),
  ];
  assert.deepEqual(
    kept({ kind: "restore-selector", service }),
    objects.slice(0, 4),
  );
  assert.deepEqual(kept({ kind: "unlock", service }), []);
  assert.deepEqual(
    kept({ kind: "release", pod: other, by: "bob" }),
    [other],
  );
  const deployment = own("Deployment", "app", {});
  shadow.metadata.annotations!["kt-config"] = "app=app,replicas=1";
  assert.deepEqual(
    kept({ kind: "restore-replicas", deployment }),
    objects.slice(0, 4),
  );
});
