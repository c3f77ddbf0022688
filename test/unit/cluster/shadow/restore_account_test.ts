import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  restoreRole,
  withRestore,
} from "../../../../src/cluster/shadow/restore_account.ts";
import {
  exchangeObjects,
  meshObjects,
  previewObjects,
} from "../../../../src/cluster/shadow/restore_objects.ts";
import { agentConfig } from "../../../../src/cluster/shadow/pod_ports.ts";
import {
  type ShadowSpec,
  shadowWorkload,
} from "../../../../src/cluster/shadow/shadow_objects.ts";
import { DEFAULT_POD } from "../../../../src/cluster/pod/pod_options.ts";
import { DEPLOYMENTS } from "../../../../src/kube/resources.ts";

const SPEC: ShadowSpec = {
  ...{ name: "web-kt-exchange-abcde", namespace: "test", session: "s1" },
  ...{ user: "alice", config: "service=web", ports: [] },
  labels: { "kt-role": "shadow-exchange", "kt-target": "AbC" },
  agent: agentConfig([], { ready: "always" }),
  pod: DEFAULT_POD,
  unprivilegedPortStart: false,
};
const KEEPERS = [{ resource: DEPLOYMENTS, name: SPEC.name }];
const PARTS = { source: "the agent", keysDigest: "of the keys" };

Deno.test("the Role names each object of the session, and nothing that it has not to change", () => {
  const config = "service=web,app=web-app,replicas=3";
  const objects = exchangeObjects({ service: "web", config });
  const restored = withRestore(
    { ...SPEC, restore: { afterMs: 10_000, objects } },
    { keepers: KEEPERS, restorer: "the restorer" },
  ).agent.restore!;
  const role = restoreRole({ name: "r" }, restored.objects);
  const rules = role["rules"].map((
    { apiGroups, resources, resourceNames, verbs }: Record<string, string[]>,
  ) => `${verbs} ${resources}.${apiGroups} ${resourceNames}`);
  assert.deepEqual(rules, [
    "get,patch services. web",
    "get,delete services. web-kt-stuntman",
    "get,patch deployments.apps web-app",
    "get,delete configmaps. web-app-kt-scaled",
    "get,delete deployments.apps web-kt-exchange-abcde",
  ]);
  const mesh = meshObjects({ service: "web", shadow: "web-kt-mesh-a" });
  assert.deepEqual(
    mesh.map(({ kind, name, verbs }) => `${kind} ${name} ${verbs}`),
    [
      "Service web get,patch",
      "Service web-kt-stuntman get,patch,delete",
      "Service web-kt-mesh-a get,delete",
      "ConfigMap web-kt-router get,patch,delete",
      "ReplicaSet web-kt-router get,delete",
      "Pod web-kt-router get,delete",
    ],
  );
  assert.equal(exchangeObjects({ service: "web", config: "" }).length, 2);
  assert.deepEqual(previewObjects("mine").map(({ name }) => name), ["mine"]);
});

Deno.test("with the switch the pod has a token, the program's digest, and no right of Deno's but those it needs", () => {
  const spec = withRestore(
    { ...SPEC, restore: { afterMs: 10_000, objects: [] } },
    { keepers: KEEPERS, restorer: "the restorer" },
  );
  const { spec: pod } = shadowWorkload(spec, PARTS, 0);
  assert.equal(pod.serviceAccountName, "web-kt-exchange-abcde-restore");
  // the one token is that of the volume
  assert.equal(pod.automountServiceAccountToken, false);
  const { projected: { sources } } = pod.volumes.at(-1);
  assert.equal(sources[0].serviceAccountToken.path, "token");
  const { command } = pod.containers[0];
  const allowed = command.filter((one: string) => one.startsWith("--allow-"));
  assert.deepEqual(allowed, [
    "--allow-net",
    "--allow-read=/ktctl,/etc/resolv.conf",
    "--allow-env=KUBERNETES_SERVICE_HOST,KUBERNETES_SERVICE_PORT",
    "--allow-sys=osUptime",
  ]);
  const digest = createHash("sha256").update("the restorer").digest("hex");
  assert.equal(spec.agent.restore?.programDigest, digest);
  assert.deepEqual(spec.agent.restore?.keepers, [
    { kind: "Deployment", name: SPEC.name },
  ]);
});

Deno.test("without the switch the pod has neither", () => {
  const spec = withRestore(SPEC, { keepers: KEEPERS, restorer: undefined });
  assert.equal(spec, SPEC);
  const { spec: pod } = shadowWorkload(spec, PARTS, 0);
  assert.equal(pod.serviceAccountName, undefined);
  assert.equal(pod.automountServiceAccountToken, false);
  assert.deepEqual(
    pod.volumes.map(({ name }: { name: string }) => name),
    ["agent", "keys", "tmp"],
  );
  const { command } = pod.containers[0];
  assert.ok(!command.some((one: string) => /allow-(env|sys)/.test(one)));
});
