// Services with Deployments whose pods never start: for tests of objects, not of traffic.
import type { TestNamespace } from "./cluster.ts";
import { PARKED } from "./original_leftovers.ts";

/** Applies for each name a Service and a Deployment with two replicas, labelled `app` and `tier`. */
export async function applyWorkloads(
  namespace: TestNamespace,
  names: readonly string[],
): Promise<void> {
  const items = names.flatMap((name) => {
    const labels = { app: name, tier: "a" };
    return [
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: PARKED },
        },
      },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name },
        spec: {
          selector: { tier: "a", app: name },
          ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }],
        },
      },
    ];
  });
  const list = { apiVersion: "v1", kind: "List", items };
  await namespace.apply(JSON.stringify(list));
}
