// The Service `raw`: a server of programs/raw_server.ts named `original`.
import { succeeded, type TestNamespace } from "./cluster.ts";
import { denoContainer, programsVolume } from "./deno_pod.ts";

/** Needs `applyPrograms`. Port 80 waits for the client, port 7000 speaks first. */
export async function applyRawServers(namespace: TestNamespace): Promise<void> {
  const container = denoContainer([
    "run",
    "-A",
    "/programs/raw_server.ts",
    "--name",
    "original",
  ]);
  const labels = { app: "raw" };
  const items = [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "raw" },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [{
              ...container,
              readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
            }],
            volumes: [programsVolume],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "raw" },
      spec: {
        selector: labels,
        ports: [
          { name: "wait", port: 80, targetPort: 8080, protocol: "TCP" },
          { name: "greet", port: 7000, targetPort: 7000, protocol: "TCP" },
        ],
      },
    },
  ];
  const list = { apiVersion: "v1", kind: "List", items };
  await namespace.apply(JSON.stringify(list));
  const rollout = ["rollout", "status", "deployment/raw", "--timeout=60s"];
  succeeded(await namespace.kubectl(rollout));
}
