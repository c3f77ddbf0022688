// What somebody wrote into a namespace that no ktctl writes there.
import assert from "node:assert/strict";
import { unreadableObjects } from "../../../../src/cluster/clean/unreadable.ts";
import type { NamespaceState } from "../../../../src/kube/cluster_step.ts";
import { scaleRecord } from "../../../../src/cluster/scale/scale_record.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";
import type { World } from "../../../../src/kube/world.ts";
import { Reverter } from "../../../../src/undo/reverter.ts";
import type { AnyStep } from "../../../../src/undo/step.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
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
  switchedService,
} from "../leftovers.ts";
import { share, shareObjects, sharer } from "../shares.ts";

const plan = async (
  part: Partial<NamespaceState>,
  attached: readonly string[] = [],
) => actionsOf(await cleanChanges(part, { attached }));

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

Deno.test("clean tells of a router what the Service itself says, not what its ConfigMap does", async () => {
  assert.deepEqual(
    await plan({
      services: [switchedService("router")],
      configMaps: [router()],
    }),
    [
      'restore the selector of Service "web" to app=web, and remove its router with alice\'s "version: a"',
    ],
  );
});

Deno.test("clean tells of no selector where a meshed Service leads elsewhere already", async () => {
  const service = switchedService("router");
  service.spec.selector = { app: "web2" };
  assert.deepEqual(
    await plan({ services: [service], configMaps: [router()] }),
    [
      'remove the router of Service "web" with alice\'s "version: a"',
    ],
  );
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
  Deno.test(`clean names a router's ConfigMap that ${what}, leaves it alone, and cleans the rest`, async () => {
    const all = {
      services: [switchedService("router")],
      configMaps: [configMap],
      pods: [dead],
    };
    assert.deepEqual(await plan(all), [
      'restore the selector of Service "web" to app=web',
      'delete Pod "old-kt-exchange-abcde"',
    ]);
    assert.deepEqual(
      unreadableObjects(state(all)).map(({ object }) => object),
      [configMap],
    );
  });
}

Deno.test("clean obeys the record of a shared Shadow Pod on the one Secret that has its name", async () => {
  const { secrets: [secret] } = shareObjects(
    share({ sharers: [sharer("a", 900)] }),
  );
  const forged = structuredClone(secret!);
  forged.metadata.name = "forged";
  const all = state({ secrets: [forged] });
  assert.deepEqual(await plan(all), []);
  assert.equal(unreadableObjects(all).length, 1);
  assert.equal((await plan({ secrets: [secret!] })).length, 1);
});

for (
  const [what, heartbeat] of [
    ["garbage", "soon"],
    ["a fraction", "1.7e9"],
    ["without end", "9".repeat(20)],
  ] as const
) {
  Deno.test(`a heartbeat that is ${what} keeps its session alive no longer, and its object is left alone`, async () => {
    const odd = made("Secret", "odd", { heartbeat, session: "gone2" });
    const all = { pods: [dead], secrets: [odd] };
    assert.deepEqual(await plan(all), ['delete Pod "old-kt-exchange-abcde"']);
    assert.equal(unreadableObjects(state(all))[0]?.object, odd);
  });
}

Deno.test("a heartbeat from a time that is not yet is no sign of life, but for clocks that differ a little", async () => {
  const pod = (seconds: number) =>
    made("Pod", "p", { heartbeat: String(NOW + seconds) });
  assert.deepEqual(await plan({ pods: [pod(200)] }), []);
  assert.deepEqual(await plan({ pods: [pod(100_000)] }), ['delete Pod "p"']);
  const late = router();
  late.data["state.json"] = late.data["state.json"].replace("2020-", "2999-");
  assert.equal((await plan({ configMaps: [late] })).length, 1);
  const { secrets } = shareObjects(share({ sharers: [sharer("a", -900)] }));
  assert.equal((await plan({ secrets })).length, 1);
});

Deno.test("a lock from a time that is not yet is void", async () => {
  const locked = (at: number) =>
    own("Service", "web", {}, { "kt-lock": String(at) });
  assert.deepEqual(await plan({ services: [locked(NOW + 9_999)] }), [
    'remove the expired lock of Service "web"',
  ]);
  assert.deepEqual(await plan({ services: [locked(NOW - 9)] }), []);
});

Deno.test("no shadow scales a Deployment to whatever it says", async () => {
  for (const replicas of ["999999999", "1e3", "-1", "2.5", "1001"]) {
    const shadow = made("Pod", "web-kt-exchange-abcde", {
      heartbeat: OLD,
      role: "shadow-exchange",
      config: `app=web,replicas=${replicas}`,
    });
    const deployments = [own("Deployment", "web", { replicas: 0 })];
    const scaled = (await plan({ deployments, pods: [shadow] })).filter((
      text,
    ) => text.startsWith("scale"));
    assert.deepEqual(scaled, [], replicas);
  }
});

Deno.test("a Deployment's count that is none is named, and left for its owner to mend", async () => {
  const deployment = own("Deployment", "web", { replicas: 0 }, {
    "ktctl.dev/replicas": "-3",
  });
  assert.deepEqual(await plan({ deployments: [deployment], pods: [dead] }), [
    'delete Pod "old-kt-exchange-abcde"',
  ]);
  assert.equal(
    unreadableObjects(state({ deployments: [deployment] })).length,
    1,
  );
});

Deno.test("a pod that cannot be read holds no Service, unless its agent has a laptop", async () => {
  const pod = made("Pod", "web-kt-exchange-abcde", {
    heartbeat: "soon",
    role: "shadow-exchange",
    target: "AbC",
    config: "service=web",
  });
  const all = { services: [switchedService()], pods: [pod] };
  assert.deepEqual(await plan(all), [
    'restore the selector of Service "web" to app=web',
  ]);
  assert.deepEqual(await plan(all, [pod.metadata.uid!]), []);
});

Deno.test("recover takes away no session that has something elsewhere, whoever puts its name on a pod", async () => {
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
  const changes = await recoverChanges(
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
  );
  assert.deepEqual(
    actionsOf(changes.filter(({ step }) => step.id === "kube.object")),
    ['delete Pod "forged"'],
  );
});

Deno.test("recover names no Service's router that its ConfigMap does not hold", async () => {
  const service = switchedService("router");
  const changes = await recoverChanges(
    service,
    state({ services: [service], configMaps: [router({ namespace: "b" })] }),
  );
  assert.deepEqual(actionsOf(changes), [
    'restore the selector of Service "web" to app=web',
  ]);
});

Deno.test("what could not be restored keeps what serves it, with all of its session, and nothing else", async () => {
  const service = switchedService();
  const shadow = made("Pod", "web-kt-exchange-abcde", {
    heartbeat: OLD,
    session: "s1",
    role: "shadow-exchange",
    target: "AbC",
  });
  const secret = made("Secret", "web-kt-exchange-abcde", { session: "s1" });
  const stuntman = made("Service", "web-kt-stuntman", { session: "s1" });
  const original = made("ConfigMap", "web-kt-exchange-abcde", {
    heartbeat: OLD,
  });
  const other = made("Pod", "db-kt-exchange-abcde", {
    heartbeat: OLD,
    session: "s2",
    role: "shadow-exchange",
    target: "XyZ",
    config: "service=db",
  });
  for (const meta of [secret, stuntman]) {
    meta.metadata.annotations!["kt-last-heart-beat"] = OLD;
  }
  const deployment = own("Deployment", "app", { replicas: 0 });
  const all = {
    services: [service, stuntman],
    pods: [shadow, other],
    secrets: [secret],
    configMaps: [original],
    deployments: [deployment],
  };
  const kept = async (failing: string) => {
    const reverter = new Reverter<World>({ kube: new MemoryKube().api });
    const left: string[] = [];
    for (const change of await cleanChanges(all)) {
      const step: AnyStep<World> = {
        ...change.step,
        revert: () =>
          change.step.id === failing
            ? Promise.reject(new Error("forbidden"))
            : Promise.resolve(),
      };
      const { state } = await reverter.revert({ ...change, step });
      if (state === "kept") left.push(change.action);
    }
    return left;
  };
  const ofSession = [
    'delete Pod "web-kt-exchange-abcde"',
    'delete ConfigMap "web-kt-exchange-abcde"',
    'delete Secret "web-kt-exchange-abcde"',
    'delete Service "web-kt-stuntman"',
  ];
  assert.deepEqual(await kept("service.selector"), ofSession);
  assert.deepEqual(await kept("service.lock"), []);
  shadow.metadata.annotations!["kt-config"] = "app=app,replicas=1";
  assert.deepEqual(await kept("original.replicas"), ofSession);
});

Deno.test("a pod whose owner cannot be told stays, with all of its session", async () => {
  const shadow = made("Pod", "web-kt-exchange-abcde", {
    session: "s1",
    role: "shadow-exchange",
    target: "AbC",
    config: "service=web",
  });
  const service = switchedService();
  const [release, ...others] = await recoverChanges(
    service,
    state({ services: [service], pods: [shadow] }),
  );
  const reverter = new Reverter<World>({ kube: new MemoryKube().api });
  reverter.keepOlder("the word", release!.reliesOn ?? []);
  const kept = others.filter((one) => reverter.keptBecauseOf(one));
  assert.deepEqual(actionsOf(kept), ['delete Pod "web-kt-exchange-abcde"']);
});

/** A shadow that has Service `web`. */
const taker = (session: string) =>
  made("Pod", "web-kt-exchange-abcde", {
    heartbeat: FRESH,
    session,
    role: "shadow-exchange",
    target: "AbC",
    config: "service=web",
  });

const recoverWeb = async (part: Partial<NamespaceState>) => {
  const service = switchedService();
  const services = [service, ...part.services ?? []];
  return actionsOf(
    await recoverChanges(service, state({ ...part, services })),
  );
};

const RECOVERED = [
  'tell the owner of Pod "web-kt-exchange-abcde" that the Service was recovered',
  'restore the selector of Service "web" to app=web',
  'delete Pod "web-kt-exchange-abcde"',
];

Deno.test("clean leaves a router and a shared Shadow Pod as they are whose records bear marks that cannot be read", async () => {
  const configMap = router();
  configMap.metadata.annotations!["kt-last-heart-beat"] = "x";
  assert.deepEqual(await plan({ configMaps: [configMap] }), []);
  const shared = shareObjects(share({ sharers: [sharer("s1", 9999)] }));
  shared.secrets[0]!.metadata.annotations!["kt-last-heart-beat"] = "x";
  assert.deepEqual(await plan(shared), []);
});

Deno.test("recover gives a Service back whose router bears a mark that cannot be read", async () => {
  const service = switchedService("router");
  const configMap = router();
  configMap.metadata.annotations!["kt-last-heart-beat"] = "x";
  const all = state({ services: [service], configMaps: [configMap] });
  assert.deepEqual(actionsOf(await recoverChanges(service, all)), [
    'restore the selector of Service "web" to app=web, and remove its router with alice\'s "version: a"',
  ]);
});

Deno.test("recover takes a pod out of the way whose session is none", async () => {
  assert.deepEqual(await recoverWeb({ pods: [taker("a b")] }), RECOVERED);
});

Deno.test("recover leaves another Service's router alone, whatever session was written on it", async () => {
  const other = router({ name: "db-kt-router", service: "db" });
  const { podName: _, ...record } = JSON.parse(other.data["state.json"]);
  other.data["state.json"] = JSON.stringify({
    ...record,
    podName: "db-kt-router",
  });
  other.metadata.annotations!["ktctl.dev/session"] = "s1";
  assert.deepEqual(
    await recoverWeb({ pods: [taker("s1")], configMaps: [other] }),
    RECOVERED,
  );
});

Deno.test("recover leaves a shared Shadow Pod alone, whatever session was written on it", async () => {
  const shared = shareObjects(share({ sharers: [sharer("s9", 10)] }));
  shared.secrets[0]!.metadata.annotations!["ktctl.dev/session"] = "s1";
  shared.configMaps[0]!.metadata.annotations!["ktctl.dev/session"] = "s1";
  const pods = [taker("s1"), ...shared.pods];
  assert.deepEqual(await recoverWeb({ ...shared, pods }), RECOVERED);
});

Deno.test("what somebody wrote on a Deployment takes no record from it", async () => {
  const labels = { app: "web" };
  const spec = { replicas: 0, template: { metadata: { labels } } };
  const deployment = own("Deployment", "web", spec, {
    "ktctl.dev/session": "a b",
  });
  const record = scaleRecord(
    { ...deployment, spec: { ...spec, replicas: 3 } },
    { namespace: "test", session: "s1", user: "alice", now: NOW },
  );
  const part = { deployments: [deployment], configMaps: [record] };
  assert.deepEqual(await plan(part), []);
  assert.deepEqual(
    await recoverWeb({ ...part, pods: [taker("s1")] }),
    [
      ...RECOVERED.slice(0, 2),
      'scale Deployment "web" back to 3',
      ...RECOVERED.slice(2),
      'delete ConfigMap "web-kt-scaled"',
    ],
  );
});

Deno.test("what was given to an owner that stays is deleted all the same", async () => {
  const pod = structuredClone(dead);
  const { name, uid = "" } = own("Deployment", "web", {}).metadata;
  const owner = { apiVersion: "apps/v1", kind: "Deployment", name, uid };
  pod.metadata.ownerReferences = [owner];
  assert.deepEqual(
    await plan({
      pods: [pod],
      deployments: [own("Deployment", "web", { replicas: 1 })],
    }),
    [`delete Pod "${pod.metadata.name}"`],
  );
});

Deno.test("recover believes no count that is none, and takes the shadow's", async () => {
  const labels = { app: "web" };
  const spec = { replicas: 0, template: { metadata: { labels } } };
  const deployment = own("Deployment", "web", spec, {
    "ktctl.dev/replicas": "abc",
    "ktctl.dev/session": "AbC",
  });
  const pod = taker("s1");
  pod.metadata.annotations!["kt-config"] = "service=web,app=web,replicas=2";
  assert.deepEqual(
    await recoverWeb({ deployments: [deployment], pods: [pod] }),
    [
      ...RECOVERED.slice(0, 2),
      'scale Deployment "web" back to 2',
      ...RECOVERED.slice(2),
    ],
  );
});
