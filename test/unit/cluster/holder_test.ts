import assert from "node:assert/strict";
import {
  refuseHeldDeployment,
  refuseHeldService,
  refuseReplacedPods,
} from "../../../src/cluster/holder.ts";
import { refuseLongName } from "../../../src/cluster/object/object_name.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";
import { made, own } from "./leftovers.ts";

const options = {
  shadowLabels: { "kt-target": "mine" },
  signal: new AbortController().signal,
};

function shadow(config: string) {
  return made("Pod", "web-kt-exchange-abcde", {
    role: "shadow-exchange",
    target: "AbC",
    config,
    annotations: { "kt-user": "alice" },
  });
}

for (const refuse of [refuseHeldService, refuseReplacedPods]) {
  Deno.test(`${refuse.name} of another Service of a scaled Deployment names the Deployment, and how to take that back`, async () => {
    const service = own("Service", "web-grpc", { selector: { app: "web" } });
    const kube = new MemoryKube();
    kube.listed = [shadow("app=web,replicas=2")];
    await assert.rejects(refuse(kube.api, service, options), {
      code: "SERVICE_ALREADY_EXCHANGED",
      message:
        'Cannot take Service "web-grpc": alice has exchanged its Deployment "web"',
      hint:
        "Ask alice to leave; if they are gone for good, run `ktctl recover deploy/web`.",
    });
    kube.listed = [shadow("app=Not a name")];
    await assert.rejects(refuse(kube.api, service, options), {
      hint: /run `ktctl recover web-grpc`/,
    });
  });
}

Deno.test("who is refused a scaled Deployment is told how to take that one back", async () => {
  const deployment = own("Deployment", "web", {});
  const kube = new MemoryKube(made("ConfigMap", "web-kt-scaled", {}));
  await assert.rejects(refuseHeldDeployment(kube.api, deployment), {
    hint: /run `ktctl recover deploy\/web`/,
  });
});

Deno.test("a name that is too long is told by how much", () => {
  const name = (length: number) => () =>
    refuseLongName("Pod", "a".repeat(length));
  assert.throws(name(64), { hint: "Take a name that is 1 character shorter." });
  assert.throws(name(65), {
    hint: "Take a name that is 2 characters shorter.",
  });
});
