import type { KubeObject } from "../kube_api.ts";

/** A pod that is not really there, as it would be once it runs: what comes after that is to be planned too. */
export function asRunning(pod: KubeObject): KubeObject {
  const containers: { name: string; image?: string }[] = pod.spec?.containers ??
    [];
  const at = new Date().toISOString();
  return {
    ...pod,
    status: {
      ...pod["status"],
      phase: "Running",
      conditions: ["Initialized", "ContainersReady", "Ready", "PodScheduled"]
        .map((type) => ({ type, status: "True", lastTransitionTime: at })),
      containerStatuses: containers.map(({ name, image }) => ({
        ...{ name, image, ready: true, started: true, restartCount: 0 },
        state: { running: { startedAt: at } },
      })),
    },
  };
}

/** The pod that a Deployment would make. */
export function podOfDeployment(deployment: KubeObject): KubeObject {
  const { metadata: { name, namespace, uid = "" }, spec } = deployment;
  const owner = {
    ...{ apiVersion: "apps/v1", kind: "Deployment", name, uid },
    controller: true,
  };
  return asRunning({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...spec.template.metadata,
      name: `${name}-planned`,
      ...(namespace === undefined ? {} : { namespace }),
      uid: crypto.randomUUID(),
      ownerReferences: [owner],
    },
    spec: spec.template.spec,
  });
}
