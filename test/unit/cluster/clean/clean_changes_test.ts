import assert from "node:assert/strict";
import { scaleRecord } from "../../../../src/cluster/scale/scale_record.ts";
import {
  actionsOf,
  cleanChanges,
  FRESH,
  keptExchange,
  made,
  NOW,
  OLD,
  own,
  switchedService,
} from "../leftovers.ts";

const plan = async (...args: Parameters<typeof cleanChanges>) =>
  actionsOf(await cleanChanges(...args));

function exchangeShadow(heartbeat: string, session?: string) {
  return made("Pod", "web-kt-exchange-abcde", {
    heartbeat,
    role: "shadow-exchange",
    target: "AbC",
    config: "service=web",
    ...(session === undefined ? {} : { session }),
  });
}

Deno.test("clean restores an exchanged Service before it deletes the dead shadow", async () => {
  assert.deepEqual(
    await plan({ services: [switchedService()], pods: [exchangeShadow(OLD)] }),
    [
      'restore the selector of Service "web" to app=web',
      'delete Pod "web-kt-exchange-abcde"',
    ],
  );
});

Deno.test("clean leaves a live exchange alone", async () => {
  assert.deepEqual(
    await plan({
      services: [switchedService()],
      pods: [exchangeShadow(FRESH)],
    }),
    [],
  );
});

Deno.test("clean says of a Service whose selector somebody has set since that it stays so", async () => {
  const service = switchedService();
  service.spec.selector = { app: "web2" };
  assert.deepEqual(await plan({ services: [service] }), [
    'remove what a past session left on Service "web", whose selector somebody has set since: it stays app=web2',
  ]);
});

Deno.test("clean says of a Service that had no selector of its own that it gets none", async () => {
  const service = switchedService();
  service.metadata.annotations!["kt-selector"] = "null";
  assert.deepEqual(await plan({ services: [service] }), [
    'restore the selector of Service "web" to none',
  ]);
});

Deno.test("clean restores a Service whose shadow somebody else has deleted", async () => {
  assert.deepEqual(await plan({ services: [switchedService()] }), [
    'restore the selector of Service "web" to app=web',
  ]);
});

Deno.test("a session whose agent has its laptop lives, however old its heartbeat", async () => {
  const pod = exchangeShadow(OLD, "s1");
  const secret = made("Secret", pod.metadata.name, {
    heartbeat: OLD,
    session: "s1",
  });
  assert.deepEqual(
    await plan({
      services: [switchedService()],
      pods: [pod],
      secrets: [secret],
    }, {
      attached: [pod.metadata.uid!],
    }),
    [],
  );
});

Deno.test("what a dead shadow owns has no heartbeat, keeps nothing alive, and goes with it", async () => {
  const pod = exchangeShadow(OLD, "s1");
  // the parts of a mesh's shadow have names of their own
  const secrets = [pod.metadata.name, "web-kt-mesh-demo-fghij"].map((name) =>
    made("Secret", name, { session: "s1" })
  );
  for (const { metadata } of secrets) {
    const { name, uid = "" } = pod.metadata;
    metadata.ownerReferences = [{ apiVersion: "v1", kind: "Pod", name, uid }];
  }
  const left = { services: [switchedService()], pods: [pod], secrets };
  assert.deepEqual(await plan(left), [
    'restore the selector of Service "web" to app=web',
    `delete Pod "${pod.metadata.name}"`,
  ]);
});

Deno.test("what keeps a dead shadow is deleted before the shadow, in whose place it would make another", async () => {
  const dead = keptExchange({ heartbeat: OLD, session: "s1" });
  const { pod, keeper, secret, stuntman } = dead;
  const left = {
    services: [switchedService(), stuntman],
    replicaSets: [keeper],
    secrets: [secret],
  };
  const others = [
    'restore the selector of Service "web" to app=web',
    'delete ReplicaSet "kept-web-kt-exchange-abcde"',
    'delete Service "web-kt-stuntman"',
  ];
  assert.deepEqual(
    await plan({ ...left, pods: [pod] }),
    others.toSpliced(2, 0, 'delete Pod "web-kt-exchange-abcde"'),
  );
  // the pod in its place is no ktctl's, and goes with what made it
  const { labels: { "control-by": _, ...labels } = {}, ...metadata } =
    pod.metadata;
  const another = { ...pod, metadata: { ...metadata, labels } };
  assert.deepEqual(await plan({ ...left, pods: [another] }), others);
});

Deno.test("an account of --restoreAfter is deleted where no pod of its session has it, and goes with the pod else", async () => {
  const marks = { session: "abcdefghij" };
  const account = made(
    "ServiceAccount",
    "web-kt-exchange-abcde-restore",
    marks,
  );
  assert.deepEqual(await plan({ serviceAccounts: [account] }), [
    'delete ServiceAccount "web-kt-exchange-abcde-restore"',
  ]);
  const stuntman = made("Service", "web-kt-stuntman", {
    ...{ ...marks, heartbeat: FRESH },
  });
  const beingMade = { serviceAccounts: [account], services: [stuntman] };
  assert.deepEqual(await plan(beingMade), []);
  const pod = exchangeShadow(OLD, marks.session);
  const { metadata: { name, uid = "" } } = pod;
  const owner = { apiVersion: "v1", kind: "Pod", name, uid };
  account.metadata.ownerReferences = [owner];
  assert.deepEqual(await plan({ serviceAccounts: [account], pods: [pod] }), [
    'delete Pod "web-kt-exchange-abcde"',
  ]);
});

Deno.test("one fresh heartbeat keeps all that its session made", async () => {
  const pod = exchangeShadow(FRESH, "s1");
  const stuntman = made("Service", "web-kt-stuntman", {
    heartbeat: OLD,
    session: "s1",
  });
  assert.deepEqual(
    await plan({ services: [switchedService(), stuntman], pods: [pod] }),
    [],
  );
});

function scaledDeployment(uid = "uid-Deployment-web") {
  const deployment = own("Deployment", "web", { replicas: 0 });
  return { ...deployment, metadata: { ...deployment.metadata, uid } };
}

function recordOfScale(session = "s1") {
  const before = { ...scaledDeployment(), spec: { replicas: 3 } };
  return scaleRecord(before, {
    namespace: "test",
    session,
    user: "alice",
    now: NOW,
  });
}

Deno.test("clean scales a Deployment back by its record, before it deletes that", async () => {
  const configMaps = [recordOfScale()];
  assert.deepEqual(
    await plan({ deployments: [scaledDeployment()], configMaps }),
    [
      'scale Deployment "web" back to 3',
      'delete ConfigMap "web-kt-scaled"',
    ],
  );
});

Deno.test("a record of a session that lives is left alone, and does not keep a dead one alive", async () => {
  const shadow = (heartbeat: string) =>
    made("Pod", "web-kt-exchange-abcde", {
      heartbeat,
      session: "s1",
      role: "shadow-exchange",
      config: "app=web,replicas=3",
    });
  const scaled = {
    deployments: [scaledDeployment()],
    configMaps: [recordOfScale()],
  };
  assert.deepEqual(await plan({ ...scaled, pods: [shadow(FRESH)] }), []);
  assert.deepEqual(await plan({ ...scaled, pods: [shadow(OLD)] }), [
    'scale Deployment "web" back to 3',
    'delete Pod "web-kt-exchange-abcde"',
    'delete ConfigMap "web-kt-scaled"',
  ]);
});

Deno.test("a record is neither obeyed nor deleted where its own Deployment is not seen", async () => {
  const configMaps = [recordOfScale()];
  assert.deepEqual(await plan({ configMaps }), []); // which may not be listed
  const deployments = [scaledDeployment("another-uid")];
  assert.deepEqual(await plan({ deployments, configMaps }), []);
});

Deno.test("clean scales a Deployment that keeps a replica back by its record, if it was a ktctl that scaled it", async () => {
  const keptBy = (manager: string) => {
    const deployment = { ...scaledDeployment(), spec: { replicas: 1 } };
    const managedFields = [{ manager, fieldsV1: COUNT_FIELDS }];
    const metadata = { ...deployment.metadata, managedFields };
    return { ...deployment, metadata };
  };
  const record = recordOfScale();
  record.metadata.annotations!["ktctl.dev/kept-replicas"] = "1";
  const planBy = (manager: string) =>
    plan({ deployments: [keptBy(manager)], configMaps: [record] });
  const forget = 'delete ConfigMap "web-kt-scaled"';
  assert.deepEqual(await planBy("ktctl"), [
    'scale Deployment "web" from 1 back to 3',
    forget,
  ]);
  assert.deepEqual(await planBy("kubectl-client-side-apply"), [forget]);
});

const annotated = {
  "ktctl.dev/replicas": "3",
  "ktctl.dev/session": "AbC",
  "ktctl.dev/held-by": "alice",
};

function annotatedDeployment(replicas: number, ...managers: unknown[]) {
  const deployment = own("Deployment", "web", { replicas }, annotated);
  const managedFields = managers.map((fieldsV1) => ({ fieldsV1 }));
  return {
    ...deployment,
    metadata: { ...deployment.metadata, managedFields },
  };
}

const RECORD_FIELDS = {
  "f:metadata": { "f:annotations": { "f:ktctl.dev/replicas": {} } },
};
const COUNT_FIELDS = { "f:spec": { "f:replicas": {} } };

Deno.test("clean scales a Deployment back by what an earlier version annotated together with the count", async () => {
  const both = { ...RECORD_FIELDS, ...COUNT_FIELDS };
  assert.deepEqual(
    await plan({ deployments: [annotatedDeployment(0, both)] }),
    [
      'scale Deployment "web" back to 3',
    ],
  );
});

Deno.test("clean scales a Deployment back by what an earlier version annotated while its Shadow Pod is there", async () => {
  const shadow = made("Pod", "web-kt-exchange-abcde", {
    heartbeat: OLD,
    target: "AbC",
    role: "shadow-exchange",
    config: "app=web,replicas=3",
  });
  const deployments = [annotatedDeployment(0)];
  assert.deepEqual(await plan({ deployments, pods: [shadow] }), [
    'scale Deployment "web" back to 3',
    'delete Pod "web-kt-exchange-abcde"',
  ]);
});

Deno.test("what a rollback brought back of an earlier exchange is taken away and not obeyed", async () => {
  for (const replicas of [0, 5]) {
    const deployments = [
      annotatedDeployment(replicas, COUNT_FIELDS, RECORD_FIELDS),
    ];
    assert.deepEqual(await plan({ deployments }), [
      'remove what a rollback brought back of a past exchange from Deployment "web"',
    ]);
  }
});

Deno.test("clean scales back by the shadow of the original ktctl, before it deletes that shadow", async () => {
  const shadow = made("Pod", "web-kt-exchange-abcde", {
    heartbeat: OLD,
    role: "shadow-exchange",
    config: "app=web,replicas=2",
  });
  assert.deepEqual(
    await plan({
      deployments: [own("Deployment", "web", { replicas: 0 })],
      pods: [shadow],
    }),
    ['scale Deployment "web" back to 2', 'delete Pod "web-kt-exchange-abcde"'],
  );
});

Deno.test("a Deployment that somebody has scaled up again is not scaled", async () => {
  const shadow = made("Pod", "x", {
    heartbeat: OLD,
    role: "shadow-exchange",
    config: "app=web,replicas=2",
  });
  assert.deepEqual(
    await plan({
      deployments: [own("Deployment", "web", { replicas: 5 })],
      pods: [shadow],
    }),
    ['delete Pod "x"'],
  );
});

Deno.test("clean takes a dead mesh apart: selector, then router, stuntman, shadow", async () => {
  const router = made("Pod", "web-kt-router", {
    heartbeat: OLD,
    role: "router",
    target: "AbC",
    config: "service=web",
  });
  const shadow = made("Pod", "web-kt-mesh-v1", {
    heartbeat: OLD,
    role: "shadow-mesh",
  });
  const services = ["web-kt-stuntman", "web-kt-mesh-v1"].map((name) =>
    made("Service", name, { heartbeat: OLD })
  );
  const done = await plan({
    services: [switchedService("router"), ...services],
    pods: [router, shadow],
  });
  assert.equal(done[0], 'restore the selector of Service "web" to app=web');
  assert.deepEqual(done.slice(1).sort(), [
    'delete Pod "web-kt-mesh-v1"',
    'delete Pod "web-kt-router"',
    'delete Service "web-kt-mesh-v1"',
    'delete Service "web-kt-stuntman"',
  ]);
});

Deno.test("an object without a heartbeat and without a session is not judged", async () => {
  assert.deepEqual(
    await plan({ pods: [made("Pod", "x", { role: "router" })] }),
    [],
  );
});

for (
  const [claim, age, expected] of [
    ["a lock of three minutes is removed", 180, 1],
    ["a younger lock is left", 179, 0],
  ] as const
) {
  Deno.test(claim, async () => {
    const service = own("Service", "web", { selector: { app: "web" } }, {
      "kt-lock": String(NOW - age),
    });
    assert.equal((await plan({ services: [service] })).length, expected);
  });
}

Deno.test("the lock of a start that died goes with what it made, and not before, nor for what only bears its name", async () => {
  const locked = own("Service", "web", { selector: { app: "web" } }, {
    "kt-lock": String(NOW - 60),
    "ktctl.dev/lock-owner": "corp/alice/abcdefghij",
    "ktctl.dev/lock-until": String(NOW + 15),
  });
  const unlock = 'remove the expired lock of Service "web"';
  const shadow = exchangeShadow(FRESH, "abcdefghij"); // 30 s old
  const unbeaten = exchangeShadow(OLD, "abcdefghij");
  delete unbeaten.metadata.annotations!["kt-last-heart-beat"];
  const foreign = own("Service", "db", {}, { ...shadow.metadata.annotations });
  for (
    const [pod, thresholdMinutes, expected] of [
      [shadow, 0, true],
      [shadow, 5, false],
      [exchangeShadow(FRESH, "klmnopqrst"), 0, false],
      [exchangeShadow(OLD, "abcdefghij"), 5, false],
      [unbeaten, 5, false],
      [foreign, 0, false],
    ] as const
  ) {
    const done = await plan({ services: [locked], pods: [pod] }, {
      thresholdMinutes,
    });
    const what = JSON.stringify([pod.metadata, thresholdMinutes]);
    assert.equal(done.includes(unlock), expected, what);
  }
});

Deno.test("a lock that is no number is void, and removed", async () => {
  const service = own("Service", "web", { selector: { app: "web" } }, {
    "kt-lock": "yes",
  });
  assert.deepEqual(await plan({ services: [service] }), [
    'remove the expired lock of Service "web"',
  ]);
});

Deno.test("the threshold decides", async () => {
  const pod = made("Pod", "x", { heartbeat: FRESH });
  assert.deepEqual(await plan({ pods: [pod] }, { thresholdMinutes: 1 }), []);
  assert.equal(
    (await plan({ pods: [pod] }, { thresholdMinutes: 0 })).length,
    1,
  );
});

Deno.test("nobody's objects but ktctl's are ever deleted", async () => {
  const service = own("Service", "db", { selector: { app: "db" } }, {
    "kt-last-heart-beat": OLD,
  });
  assert.deepEqual(await plan({ services: [service] }), []);
});
