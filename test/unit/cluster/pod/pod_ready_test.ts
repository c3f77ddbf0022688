import assert from "node:assert/strict";
import {
  awaitPod,
  isReady,
  isRunning,
} from "../../../../src/cluster/pod/pod_ready.ts";
import type {
  KubeApi,
  KubeObject,
  WatchEvent,
} from "../../../../src/kube/kube_api.ts";

const sidecar = { name: "istio-proxy", state: { running: {} } };

function podWith(
  own: Record<string, unknown>,
  initContainerStatuses: unknown[] = [],
): KubeObject {
  return {
    metadata: { name: "web-kt-exchange-x", uid: "1" },
    // the kubelet sorts them by name
    status: {
      initContainerStatuses,
      containerStatuses: [sidecar, { name: "standalone", state: own }],
    },
  };
}

/** A cluster whose watch tells of one pod and then no more. */
function kubeWith(pod: KubeObject): KubeApi {
  async function* watch(
    _resource: unknown,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<WatchEvent> {
    yield { type: "ADDED", object: pod };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
  return { watch, list: () => Promise.resolve([]) } as unknown as KubeApi;
}

const wait = {
  namespace: "test",
  labelSelector: "kt-target=x",
  timeoutMs: 5_000,
  signal: new AbortController().signal,
};

Deno.test("a sidecar that runs does not pass for our container", () => {
  const waiting = { waiting: { reason: "ContainerCreating" } };
  assert.equal(isRunning(podWith(waiting)), false);
  assert.equal(isRunning(podWith({ running: {} })), true);
});

Deno.test("behind a sidecar our container's waiting reason ends the wait at once", async () => {
  const waiting = { reason: "ImagePullBackOff", message: "no such image" };
  const pod = podWith({ waiting });
  await assert.rejects(
    awaitPod(kubeWith(pod), { ...wait, until: isReady }),
    { code: "POD_NOT_READY", message: /ImagePullBackOff: no such image/ },
  );
});

Deno.test("an init container that cannot start ends the wait at once", async () => {
  const waiting = { reason: "ImagePullBackOff", message: "istio-init" };
  const pod = podWith({ waiting: { reason: "PodInitializing" } }, [{
    name: "istio-init",
    state: { waiting },
  }]);
  await assert.rejects(
    awaitPod(kubeWith(pod), { ...wait, until: isReady }),
    { code: "POD_NOT_READY", message: /ImagePullBackOff: istio-init/ },
  );
});
