import assert from "node:assert/strict";
import type { NamespaceState } from "../../../../src/kube/cluster_step.ts";
import { scaleRecord } from "../../../../src/cluster/scale/scale_record.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";
import {
  actionsOf,
  FRESH,
  keptExchange,
  made,
  own,
  recoverChanges,
  state,
  switchedService,
} from "../leftovers.ts";

async function plan(
  service: KubeObject,
  part: Partial<NamespaceState>,
): Promise<string[]> {
  const all = state({ ...part, services: [service, ...part.services ?? []] });
  return actionsOf(await recoverChanges(service, all));
}

Deno.test("recover tells the owner first, then restores, then deletes", async () => {
  const name = "web-kt-exchange-abcde";
  const shadow = made("Pod", name, {
    heartbeat: FRESH,
    session: "s1",
    role: "shadow-exchange",
    target: "AbC",
    config: "service=web",
  });
  assert.deepEqual(
    await plan(switchedService(), {
      pods: [shadow],
      configMaps: [made("ConfigMap", name, { session: "s1" })],
      services: [made("Service", "web-kt-stuntman", { session: "s1" })],
    }),
    [
      `tell the owner of Pod "${name}" that the Service was recovered`,
      'restore the selector of Service "web" to app=web',
      `delete Pod "${name}"`,
      `delete ConfigMap "${name}"`,
      'delete Service "web-kt-stuntman"',
    ],
  );
});

Deno.test("recover takes what keeps the shadow with it, and that of no other Service's, whatever session is written on a pod", async () => {
  const { pod, keeper, secret, stuntman } = keptExchange({
    heartbeat: FRESH,
    session: "s1",
  });
  const all = { pods: [pod], replicaSets: [keeper], secrets: [secret] };
  assert.deepEqual(
    await plan(switchedService(), { ...all, services: [stuntman] }),
    [
      'tell the owner of Pod "web-kt-exchange-abcde" that the Service was recovered',
      'restore the selector of Service "web" to app=web',
      'delete ReplicaSet "kept-web-kt-exchange-abcde"',
      'delete Pod "web-kt-exchange-abcde"',
      'delete Service "web-kt-stuntman"',
    ],
  );
  const db = own("Service", "db", {
    selector: { "kt-role": "shadow-exchange", "kt-target": "XyZ" },
  }, { "kt-selector": '{"app":"db"}' });
  const hostile = made("Pod", "db-kt-exchange-abcde", {
    session: "s1",
    role: "shadow-exchange",
    target: "XyZ",
    config: "service=db",
  });
  assert.deepEqual(await plan(db, { ...all, pods: [pod, hostile] }), [
    'tell the owner of Pod "db-kt-exchange-abcde" that the Service was recovered',
    'restore the selector of Service "db" to app=db',
    'delete Pod "db-kt-exchange-abcde"',
  ]);
});

Deno.test("recover leaves to the garbage collector what a shadow owns", async () => {
  const name = "web-kt-exchange-abcde";
  const secret = made("Secret", name, { session: "s1" });
  secret.metadata.ownerReferences = [
    { apiVersion: "v1", kind: "Pod", name, uid: `uid-Pod-${name}` },
  ];
  const shadow = made("Pod", name, {
    session: "s1",
    role: "shadow-exchange",
    target: "AbC",
    config: "service=web",
  });
  const repairs = await plan(switchedService(), {
    pods: [shadow],
    secrets: [secret],
  });
  assert.ok(repairs.includes(`delete Pod "${name}"`));
  assert.ok(!repairs.includes(`delete Secret "${name}"`));
});

Deno.test("recover leaves the sessions of other Services alone", async () => {
  const other = made("Pod", "db-kt-exchange-abcde", {
    session: "s2",
    role: "shadow-exchange",
    target: "XyZ",
    config: "service=db",
  });
  assert.deepEqual(await plan(switchedService(), { pods: [other] }), [
    'restore the selector of Service "web" to app=web',
  ]);
});

Deno.test("recover scales back what the original ktctl scaled down", async () => {
  const service = own("Service", "web", { selector: { app: "web" } });
  const deployment = own("Deployment", "web", {
    replicas: 0,
    template: { metadata: { labels: { app: "web" } } },
  });
  const shadow = made("Pod", "web-kt-exchange-abcde", {
    role: "shadow-exchange",
    config: "app=web,replicas=2",
    labels: { app: "web" },
  });
  assert.deepEqual(
    await plan(service, { deployments: [deployment], pods: [shadow] }),
    [
      'tell the owner of Pod "web-kt-exchange-abcde" that the Service was recovered',
      'scale Deployment "web" back to 2',
      'delete Pod "web-kt-exchange-abcde"',
    ],
  );
});

Deno.test("recover scales back by the record that a session left, whose Shadow Pod is gone", async () => {
  const service = own("Service", "web", { selector: { app: "web" } });
  const deployment = own("Deployment", "web", {
    replicas: 0,
    template: { metadata: { labels: { app: "web" } } },
  });
  const record = scaleRecord({ ...deployment, spec: { replicas: 2 } }, {
    namespace: "test",
    session: "s1",
    user: "alice",
    now: 1_700_000_000,
  });
  assert.deepEqual(
    await plan(service, { deployments: [deployment], configMaps: [record] }),
    [
      'scale Deployment "web" back to 2',
      'delete ConfigMap "web-kt-scaled"',
    ],
  );
});

Deno.test("recover gives back both the selector and the replicas of a Deployment of which one was kept, but not for another Service of its pods", async () => {
  const twin = own("Service", "twin", { selector: { app: "web" } });
  const deployment = own("Deployment", "web", {
    replicas: 1,
    template: { metadata: { labels: { app: "web" } } },
  });
  deployment.metadata["managedFields"] = [
    { manager: "ktctl", fieldsV1: { "f:spec": { "f:replicas": {} } } },
  ];
  const name = "web-kt-exchange-abcde";
  const session = "s1";
  const scaled = { ...deployment, spec: { ...deployment.spec, replicas: 3 } };
  const all = {
    deployments: [deployment],
    pods: [made("Pod", name, {
      session,
      role: "shadow-exchange",
      target: "AbC",
      config: "service=web,app=web,replicas=3",
    })],
    configMaps: [
      scaleRecord(scaled, {
        namespace: "test",
        session,
        user: "alice",
        now: 1_700_000_000,
        kept: 1,
      }),
    ],
    services: [made("Service", "web-kt-stuntman", { session })],
  };
  assert.deepEqual(
    (await plan(switchedService(), {
      ...all,
      services: [...all.services, twin],
    }))
      .toSorted(),
    [
      'delete ConfigMap "web-kt-scaled"',
      `delete Pod "${name}"`,
      'delete Service "web-kt-stuntman"',
      'restore the selector of Service "web" to app=web',
      'scale Deployment "web" from 1 back to 3',
      `tell the owner of Pod "${name}" that the Service was recovered`,
    ],
  );
  const services = [...all.services, switchedService()];
  assert.deepEqual(await plan(twin, { ...all, services }), []);
});

Deno.test("recover of a Service that nobody took does nothing", async () => {
  const service = own("Service", "web", { selector: { app: "web" } });
  assert.deepEqual(await plan(service, {}), []);
});
