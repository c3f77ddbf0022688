import type { TestNamespace } from "./cluster.ts";

/** Service `all` in front of the demo's pods: HTTP at 80, gRPC at 50051. */
export async function applyAllProtocols(
  namespace: TestNamespace,
): Promise<void> {
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "all" },
    spec: {
      selector: { app: "web" },
      ports: [
        { name: "http", port: 80, targetPort: "http", protocol: "TCP" },
        { name: "grpc", port: 50051, targetPort: "grpc", protocol: "TCP" },
      ],
    },
  }));
}
