import assert from "node:assert/strict";
import { awaitDeployedPod } from "../../../../src/cluster/pod/await_deployed_pod.ts";
import { isRunning } from "../../../../src/cluster/pod/pod_ready.ts";
import { PermissionError } from "../../../../src/core/errors.ts";
import type {
  KubeApi,
  KubeObject,
  Resource,
  WatchEvent,
} from "../../../../src/kube/kube_api.ts";

const RUNNING: KubeObject = {
  metadata: { name: "web-kt-exchange-x-1", uid: "1" },
  status: {
    containerStatuses: [{ name: "standalone", state: { running: {} } }],
  },
};
const FULL =
  'pods "web-kt-exchange-x-1" is forbidden: exceeded quota: full, requested: pods=1, used: pods=3, limited: pods=3';

function deployment(message?: string): KubeObject {
  const failure = { type: "ReplicaFailure", status: "True", message };
  return {
    metadata: { name: "web-kt-exchange-x" },
    status: { conditions: message === undefined ? [] : [failure] },
  };
}

/** A cluster in which the Deployment goes through these states, and the pod comes after that. */
function kubeWith(
  states: KubeObject[],
  { pods = [], error }: { pods?: KubeObject[]; error?: Error },
): KubeApi {
  const told = Promise.withResolvers<void>();
  async function* watch(
    { kind }: Resource,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<WatchEvent> {
    if (kind === "Deployment") {
      if (error !== undefined) told.resolve();
      if (error !== undefined) throw error;
      yield { type: "SYNCED" };
      for (const object of states) yield { type: "MODIFIED", object };
      told.resolve();
    } else {
      await told.promise;
      for (const object of pods) yield { type: "ADDED", object };
    }
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
  const list = () => Promise.resolve(pods);
  return { watch, list } as unknown as KubeApi;
}

const wait = {
  namespace: "shop",
  labelSelector: "kt-target=x",
  timeoutMs: 200,
  signal: new AbortController().signal,
  until: isRunning,
};

Deno.test("a quota that keeps a Deployment from making its pod is told as the pod's own would be", async () => {
  const kube = kubeWith([deployment(), deployment(FULL)], {});
  const patient = { ...wait, timeoutMs: 60_000 };
  await assert.rejects(awaitDeployedPod(kube, "web-kt-exchange-x", patient), {
    code: "QUOTA_EXCEEDED",
    message:
      /^Cannot create Pod "web-kt-exchange-x" in namespace "shop": .*exceeded quota: full/,
    hint: /ResourceQuota/,
  });
});

Deno.test("what the Deployment told before its pod was let in ends nothing", async () => {
  const kube = kubeWith([deployment(FULL)], { pods: [RUNNING] });
  const pod = await awaitDeployedPod(kube, "web-kt-exchange-x", wait);
  assert.equal(pod, RUNNING);
});

Deno.test("what may be over in a moment is waited for as long as any pod", async () => {
  const timeout = "Internal error occurred: failed calling webhook: timeout";
  const kube = kubeWith([deployment(timeout)], {});
  await assert.rejects(awaitDeployedPod(kube, "web-kt-exchange-x", wait), {
    code: "POD_NOT_READY",
  });
});

Deno.test("whoever may not watch Deployments waits for the pod all the same", async () => {
  const error = new PermissionError("RBAC_FORBIDDEN", "no");
  const kube = kubeWith([], { pods: [RUNNING], error });
  const pod = await awaitDeployedPod(kube, "web-kt-exchange-x", wait);
  assert.equal(pod, RUNNING);
});
