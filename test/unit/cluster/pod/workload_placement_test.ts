import assert from "node:assert/strict";
import { restrictedPod } from "../../../../src/cluster/pod/restricted_pod.ts";
import type { PodOptions } from "../../../../src/cluster/pod/pod_options.ts";
import { parseToleration } from "../../../../src/cluster/pod/toleration.ts";
import { placedAsWorkload } from "../../../../src/cluster/pod/workload_placement.ts";
import { PermissionError } from "../../../../src/core/errors.ts";
import type { KubeApi, KubeObject } from "../../../../src/kube/kube_api.ts";
import { share } from "../shares.ts";

const GPU = {
  key: "dedicated",
  operator: "Equal",
  value: "gpu",
  effect: "NoSchedule",
};
const service = {
  metadata: { name: "web", namespace: "shop" },
  spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
};
const PLAIN: PodOptions = share().pod;

function pod(given: Record<string, unknown>, labels = {}): KubeObject {
  const spec = { nodeName: "node1", ...given };
  return { metadata: { name: "web-1", labels }, spec };
}

async function placed(
  pods: readonly KubeObject[] | undefined,
  { options = PLAIN }: { options?: PodOptions } = {},
) {
  const asked: unknown[] = [];
  const list = (_: unknown, { labelSelector }: { labelSelector: string }) => {
    asked.push(labelSelector);
    return pods === undefined
      ? Promise.reject(new PermissionError("RBAC_FORBIDDEN", "no"))
      : Promise.resolve(pods);
  };
  const result = await placedAsWorkload(
    { list, namespace: "shop" } as unknown as KubeApi,
    options,
    {
      target: { service },
      signal: new AbortController().signal,
    },
  );
  const { nodeSelector, tolerations } = result;
  return { nodeSelector, tolerations, asked, result };
}

Deno.test("our pod may run where the Service's pods may", async () => {
  const spec = { nodeSelector: { pool: "gpu" }, tolerations: [GPU] };
  const { asked, result, ...where } = await placed([pod(spec), pod(spec)]);
  assert.deepEqual(asked, ["app=web"]);
  assert.deepEqual(where, {
    nodeSelector: { pool: "gpu" },
    tolerations: [GPU],
  });
  const made = restrictedPod(result, {
    uid: 1000,
    gracePeriodSeconds: 1,
    unprivilegedPortStart: false,
    image: "x",
    command: [],
    ports: [],
    statusPort: 1,
    isProbed: false,
    volumes: [],
  });
  assert.deepEqual(made["tolerations"], [GPU]);
  assert.deepEqual(made["nodeSelector"], {
    "kubernetes.io/os": "linux",
    pool: "gpu",
  });
});

Deno.test("without pods that have found a node, or the right to see them, the options say it", async () => {
  const lost = pod({
    nodeName: undefined,
    nodeSelector: { "kubernetes.io/hostname": "none-such" },
    tolerations: [GPU],
  });
  for (const pods of [[], [lost], undefined]) {
    const own = parseToleration("spot");
    const options = { ...PLAIN, tolerations: [own] };
    const found = await placed(pods, { options });
    assert.deepEqual(found.tolerations, [own]);
    assert.deepEqual(found.nodeSelector, {});
  }
});

Deno.test("--nodeSelector replaces the workload's, --toleration is added", async () => {
  const options = {
    ...PLAIN,
    nodeSelector: { disk: "ssd" },
    tolerations: [parseToleration("spot")],
  };
  const spec = { nodeSelector: { pool: "gpu" }, tolerations: [GPU] };
  const { nodeSelector, tolerations } = await placed([pod(spec)], { options });
  assert.deepEqual(nodeSelector, { disk: "ssd" });
  assert.deepEqual(tolerations, [{ key: "spot", operator: "Exists" }, GPU]);
});

Deno.test("what only some pods of a Service ask for is not asked for; what any of them tolerates is tolerated", async () => {
  const { nodeSelector, tolerations } = await placed([
    pod({ nodeSelector: { pool: "a", zone: "1" }, tolerations: [GPU] }),
    pod({ nodeSelector: { pool: "b", zone: "1" } }),
    pod({ nodeSelector: { zone: "2" } }, { "kt-role": "shadow-exchange" }),
  ]);
  assert.deepEqual(nodeSelector, { zone: "1" });
  assert.deepEqual(tolerations, [GPU]);
});

Deno.test("no toleration is taken that would hold our pod on a node that pods are to leave, or have it come back there again and again", async () => {
  const { tolerations } = await placed([pod({
    tolerations: [
      {
        key: "node.kubernetes.io/not-ready",
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      },
      { key: "node.kubernetes.io/unschedulable", operator: "Exists" },
      {
        key: "dedicated",
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 60,
      },
      { key: "kept", operator: "Exists", effect: "NoExecute" },
    ],
  })]);
  assert.deepEqual(tolerations, [
    { key: "kept", operator: "Exists", effect: "NoExecute" },
  ]);
});

Deno.test("a workload that tolerates everything is followed onto nodes set apart, not onto those that pods are to leave", async () => {
  const everything = pod({ tolerations: [{ operator: "Exists" }] });
  assert.deepEqual((await placed([everything])).tolerations, [
    { operator: "Exists", effect: "NoSchedule" },
  ]);
  const noExecute = { operator: "Exists", effect: "NoExecute" };
  const found = await placed([pod({ tolerations: [noExecute] })]);
  assert.deepEqual(found.tolerations, []);
});

Deno.test("our image decides on the architecture; a workload on Windows says nothing of ours", async () => {
  const { nodeSelector } = await placed([pod({
    nodeSelector: {
      "kubernetes.io/os": "linux",
      "kubernetes.io/arch": "s390x",
      pool: "a",
    },
  })]);
  assert.deepEqual(nodeSelector, { "kubernetes.io/os": "linux", pool: "a" });
  const windows = await placed([pod({
    nodeSelector: { "kubernetes.io/os": "windows", pool: "win" },
    tolerations: [GPU],
  })]);
  assert.deepEqual([windows.nodeSelector, windows.tolerations], [{}, []]);
});

Deno.test("--toleration takes taints as kubectl writes them, and says what is none", () => {
  assert.deepEqual(parseToleration("dedicated=gpu:NoSchedule"), GPU);
  assert.deepEqual(parseToleration("example.com/spot:NoExecute"), {
    key: "example.com/spot",
    operator: "Exists",
    effect: "NoExecute",
  });
  assert.deepEqual(parseToleration("a="), {
    key: "a",
    operator: "Equal",
    value: "",
  });
  for (const bad of ["", "=x", "a=b:Never", "a b", "a:NoSchedule:b", "a=b c"]) {
    assert.throws(() => parseToleration(bad), { code: "TOLERATION_INVALID" });
  }
});
