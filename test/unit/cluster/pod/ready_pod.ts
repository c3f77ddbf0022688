// A pod behind a Service, as the API server has it.
import type { KubeObject } from "../../../../src/kube/kube_api.ts";

export function readyPod(
  {
    ip = "127.0.0.1",
    otherIp,
    isReady = true,
    isGoing = false,
    labels = {},
    node = "node-1",
    ports = {},
    readinessProbe,
  }: {
    ip?: string;
    otherIp?: string;
    isReady?: boolean;
    isGoing?: boolean;
    labels?: Record<string, string>;
    node?: string;
    ports?: Record<string, number>;
    readinessProbe?: object;
  } = {},
): KubeObject {
  const ips = otherIp === undefined ? [ip] : [ip, otherIp];
  return {
    metadata: {
      name: `web-${ip}`,
      labels,
      ...(isGoing ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      nodeName: node,
      containers: [{ name: "sidecar" }, {
        name: "web",
        ports: Object.entries(ports).map(([name, containerPort]) => ({
          ...{ name, containerPort },
        })),
        ...(readinessProbe === undefined ? {} : { readinessProbe }),
      }],
    },
    status: {
      podIPs: ips.map((ip) => ({ ip })),
      conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
    },
  };
}
