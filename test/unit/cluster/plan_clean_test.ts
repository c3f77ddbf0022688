import assert from "node:assert/strict";
import { planClean } from "../../../src/cluster/plan_clean.ts";
import { describeRepair } from "../../../src/cluster/repair.ts";
import type { NamespaceState } from "../../../src/cluster/namespace_state.ts";
import {
  FRESH,
  made,
  NOW,
  OLD,
  own,
  state,
  switchedService,
} from "./leftovers.ts";

function plan(
  part: Partial<NamespaceState>,
  rules: {
    thresholdMinutes?: number;
    attached?: string[];
    attachedSessions?: string[];
  } = {},
): string[] {
  const repairs = planClean(state(part), {
    now: NOW,
    thresholdMinutes: rules.thresholdMinutes ?? 5,
    attached: new Set(rules.attached),
    attachedSessions: new Set(rules.attachedSessions),
  });
  return repairs.map(describeRepair);
}

function exchangeShadow(heartbeat: string, session?: string) {
  return made("Pod", "web-kt-exchange-abcde", {
    heartbeat,
    role: "shadow-exchange",
    target: "AbC",
    config: "service=web",
    ...(session === undefined ? {} : { session }),
  });
}

Deno.test("clean restores an exchanged Service before it deletes the dead shadow", () => {
  assert.deepEqual(
    plan({ services: [switchedService()], pods: [exchangeShadow(OLD)] }),
    [
      'restore the selector of Service "web" to app=web',
      'delete Pod "web-kt-exchange-abcde"',
    ],
  );
});

Deno.test("clean leaves a live exchange alone", () => {
  assert.deepEqual(
    plan({ services: [switchedService()], pods: [exchangeShadow(FRESH)] }),
    [],
  );
});

Deno.test("clean restores a Service whose shadow somebody else has deleted", () => {
  assert.deepEqual(plan({ services: [switchedService()] }), [
    'restore the selector of Service "web" to app=web',
  ]);
});

Deno.test("a session whose agent has its laptop lives, however old its heartbeat", () => {
  const pod = exchangeShadow(OLD, "s1");
  const secret = made("Secret", pod.metadata.name, {
    heartbeat: OLD,
    session: "s1",
  });
  assert.deepEqual(
    plan({ services: [switchedService()], pods: [pod], secrets: [secret] }, {
      attached: [pod.metadata.uid!],
    }),
    [],
  );
});

Deno.test("one fresh heartbeat keeps all that its session made", () => {
  const pod = exchangeShadow(FRESH, "s1");
  const stuntman = made("Service", "web-kt-stuntman", {
    heartbeat: OLD,
    session: "s1",
  });
  assert.deepEqual(
    plan({ services: [switchedService(), stuntman], pods: [pod] }),
    [],
  );
});

Deno.test("clean scales a Deployment back by its own annotation", () => {
  const deployment = own("Deployment", "web", { replicas: 0 }, {
    "ktctl.dev/replicas": "3",
  });
  assert.deepEqual(plan({ deployments: [deployment] }), [
    'scale Deployment "web" back to 3',
  ]);
});

Deno.test("clean scales back by the shadow of the original ktctl, before it deletes that shadow", () => {
  const shadow = made("Pod", "web-kt-exchange-abcde", {
    heartbeat: OLD,
    role: "shadow-exchange",
    config: "app=web,replicas=2",
  });
  assert.deepEqual(
    plan({
      deployments: [own("Deployment", "web", { replicas: 0 })],
      pods: [shadow],
    }),
    ['scale Deployment "web" back to 2', 'delete Pod "web-kt-exchange-abcde"'],
  );
});

Deno.test("a Deployment that somebody has scaled up again is not scaled", () => {
  const shadow = made("Pod", "x", {
    heartbeat: OLD,
    role: "shadow-exchange",
    config: "app=web,replicas=2",
  });
  assert.deepEqual(
    plan({
      deployments: [own("Deployment", "web", { replicas: 5 })],
      pods: [shadow],
    }),
    ['delete Pod "x"'],
  );
});

Deno.test("clean takes a dead mesh apart: selector, then router, stuntman, shadow", () => {
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
  const done = plan({
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

Deno.test("an object without a heartbeat and without a session is not judged", () => {
  assert.deepEqual(plan({ pods: [made("Pod", "x", { role: "router" })] }), []);
});

for (
  const [claim, age, expected] of [
    ["a lock of three minutes is removed", 180, 1],
    ["a younger lock is left", 179, 0],
  ] as const
) {
  Deno.test(claim, () => {
    const service = own("Service", "web", { selector: { app: "web" } }, {
      "kt-lock": String(NOW - age),
    });
    assert.equal(plan({ services: [service] }).length, expected);
  });
}

Deno.test("a lock that is no number is void, and removed", () => {
  const service = own("Service", "web", { selector: { app: "web" } }, {
    "kt-lock": "yes",
  });
  assert.deepEqual(plan({ services: [service] }), [
    'remove the expired lock of Service "web"',
  ]);
});

Deno.test("the threshold decides", () => {
  const pod = made("Pod", "x", { heartbeat: FRESH });
  assert.deepEqual(plan({ pods: [pod] }, { thresholdMinutes: 1 }), []);
  assert.equal(plan({ pods: [pod] }, { thresholdMinutes: 0 }).length, 1);
});

Deno.test("nobody's objects but ktctl's are ever deleted", () => {
  const service = own("Service", "db", { selector: { app: "db" } }, {
    "kt-last-heart-beat": OLD,
  });
  assert.deepEqual(plan({ services: [service] }), []);
});
