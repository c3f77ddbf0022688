/** The specification of a pod of ours: one container that satisfies PodSecurity `restricted`. */
import { freePortName } from "../object/free_port_name.ts";
import { notOnNode } from "./not_on_node.ts";
import { OWN_CONTAINER } from "./pod_containers.ts";
import type { PodOptions } from "./pod_options.ts";

/** A container port; a name lets Services find it by that name. */
export interface ContainerPort {
  readonly name: string;
  readonly port: number;
}

export interface RestrictedPod {
  /** User and group; not 0. */
  readonly uid: number;
  /** Whether volumes belong to the group. */
  readonly fsGroup?: boolean;
  readonly gracePeriodSeconds: number;
  /** Allow binding ports below 1024 by a safe sysctl (Kubernetes 1.22 and newer). */
  readonly unprivilegedPortStart: boolean;
  readonly image: string;
  readonly command: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly ContainerPort[];
  /** Answers `GET /ready`. */
  readonly statusPort: number;
  /**
   * Whether the kubelet asks there before it counts the pod as ready, which takes it up to a second
   * more. Otherwise the pod is ready when it runs.
   */
  readonly isProbed: boolean;
  /** Something makes it anew where it goes: it leaves a node that is gone at once. @default false */
  readonly isKept?: boolean;
  /** All but temporary ones are mounted read-only. */
  readonly volumes: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly source: Readonly<Record<string, unknown>>;
  }[];
}

/** Name of the status page's container port, beside those of the others. */
export function statusPortName(
  ports: readonly Pick<ContainerPort, "name">[],
): string {
  return freePortName("kt-status", new Set(ports.map(({ name }) => name)));
}

/** By the scheduler, which minds taints and room. */
function onNode(name: string): Record<string, unknown> {
  const isIt = { key: "metadata.name", operator: "In", values: [name] };
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [isIt] }],
      },
    },
  };
}

/** Without a word of ours a pod stays on a node that is gone for 300 s. */
const LEAVES_SECONDS = 5;

/** Of taints by which the cluster says that it does not hear of a node: where several match, the shortest counts. */
const LEAVES_SOON = ["not-ready", "unreachable"].map((state) => ({
  key: `node.kubernetes.io/${state}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: LEAVES_SECONDS,
}));

export function restrictedPod(
  options: Omit<PodOptions, "image" | "asDeployment">,
  pod: RestrictedPod,
): Record<string, unknown> {
  const tolerations = [
    ...options.tolerations,
    ...(pod.isKept ? LEAVES_SOON : []),
  ];
  const resources = Object.keys(options.quota).length === 0
    ? {}
    : { limits: options.quota, requests: options.quota };
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: "Always",
    terminationGracePeriodSeconds: pod.gracePeriodSeconds,
    ...(options.serviceAccount === undefined
      ? {}
      : { serviceAccountName: options.serviceAccount }),
    ...(options.imagePullSecret === undefined
      ? {}
      : { imagePullSecrets: [{ name: options.imagePullSecret }] }),
    // our images are of Linux alone, and a cluster may have nodes with Windows
    nodeSelector: { "kubernetes.io/os": "linux", ...options.nodeSelector },
    ...(options.nodeName === undefined
      ? {}
      : { affinity: onNode(options.nodeName) }),
    ...(options.notOnNode === undefined || options.nodeName !== undefined
      ? {}
      : { affinity: notOnNode(options.notOnNode) }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: pod.uid,
      runAsGroup: pod.uid,
      ...(pod.fsGroup ? { fsGroup: pod.uid } : {}),
      seccompProfile: { type: "RuntimeDefault" },
      ...(pod.unprivilegedPortStart
        ? {
          sysctls: [{
            name: "net.ipv4.ip_unprivileged_port_start",
            value: "0",
          }],
        }
        : {}),
    },
    containers: [{
      name: OWN_CONTAINER,
      image: pod.image,
      imagePullPolicy: options.imagePullPolicy,
      terminationMessagePolicy: "FallbackToLogsOnError",
      command: [...pod.command],
      env: [...pod.env ?? []],
      ports: [
        ...pod.ports.map(({ name, port }) => ({
          name,
          containerPort: port,
          protocol: "TCP",
        })),
        {
          name: statusPortName(pod.ports),
          containerPort: pod.statusPort,
          protocol: "TCP",
        },
      ],
      ...(pod.isProbed
        ? {
          readinessProbe: {
            httpGet: { path: "/ready", port: pod.statusPort },
            periodSeconds: 1,
            failureThreshold: 3,
          },
        }
        : {}),
      resources,
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      volumeMounts: pod.volumes.map(({ name, mountPath, source }) => ({
        name,
        mountPath,
        ...(source.emptyDir === undefined ? { readOnly: true } : {}),
      })),
    }],
    volumes: pod.volumes.map(({ name, source }) => ({ name, ...source })),
  };
}
