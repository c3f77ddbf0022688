import assert from "node:assert/strict";
import { refuseRolloutsService } from "../../../../src/cluster/keeper/refuse_rollouts_service.ts";
import { own } from "../leftovers.ts";

const MANAGED = "argo-rollouts.argoproj.io/managed-by-rollouts";

Deno.test("a Service that Argo Rollouts leads to one ReplicaSet is refused, with the Rollout's name", () => {
  const service = own("Service", "web", { selector: { app: "web" } }, {
    [MANAGED]: "shop",
  });
  assert.throws(() => refuseRolloutsService(service), {
    code: "SERVICE_OF_ROLLOUT",
    exitCode: 3,
    message: /Rollout "shop"/,
    hint: /ktctl preview/,
  });
});

Deno.test("a Service whose own selector asks for a Rollout's hash is refused, also while a session has it", () => {
  const hash = { app: "web", "rollouts-pod-template-hash": "5d" };
  const switched = own("Service", "web", {
    selector: { "kt-role": "shadow-exchange", "kt-target": "AbC" },
  }, { "kt-selector": JSON.stringify(hash) });
  for (const service of [own("Service", "web", { selector: hash }), switched]) {
    assert.throws(() => refuseRolloutsService(service), {
      code: "SERVICE_OF_ROLLOUT",
      message: /a Rollout/,
    });
  }
});

Deno.test("any other Service is no Rollout's", () => {
  refuseRolloutsService(own("Service", "web", { selector: { app: "web" } }));
});
