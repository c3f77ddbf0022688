/** What a Shadow Pod is to be, and the Kubernetes objects that make it so. */
import { hostname } from "node:os";
import type { PodOptions } from "../pod/pod_options.ts";
import {
  AGENT_DIR,
  AGENT_KEYS_DIR,
  agentCommand,
  type AgentConfig,
  type AgentParts,
} from "../../link/agent/agent_config.ts";
import {
  CONFIG,
  CONTROL_BY,
  CONTROL_BY_KT,
  HEARTBEAT,
  HOST,
  REF_COUNT,
  ROLE,
  SESSION,
  SHARED,
  STATUS_PORT,
  TARGET,
  USER,
} from "../../kube/annotations.ts";
import type {
  KubeObject,
  ObjectRef,
  OwnerReference,
} from "../../kube/kube_api.ts";
import { type ContainerPort, restrictedPod } from "../pod/restricted_pod.ts";
import {
  restoreName,
  type RestoreSpec,
  restoreVolumes,
} from "./restore_account.ts";

export interface ShadowSpec {
  readonly name: string;
  /**
   * Of the ConfigMap and the Secret. The cluster's garbage collector deletes them, in its own time: where
   * the next pod has the same name, its parts must not. @default the name
   */
  readonly partsName?: string;
  readonly namespace: string;
  readonly session: string;
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly config: string;
  readonly ports: readonly ContainerPort[];
  readonly agent: AgentConfig;
  /** What leads to the pod asks by itself whether it is attached: the kubelet need not. @default false */
  readonly isChecked?: boolean;
  readonly pod: PodOptions;
  /**
   * The Service that it falls back to. A ReplicaSet keeps the pod for as long as that is there, where this
   * user may make one: a Service leads to the pod, and must not go dead when it is evicted while the laptop
   * is gone. @default nothing keeps it
   */
  readonly keptWith?: ObjectRef;
  /** What its agent does when the laptop is gone. @default it goes on, and fails open */
  readonly restore?: RestoreSpec;
  /** Allow binding ports below 1024 by a safe sysctl (Kubernetes 1.22 and newer). */
  readonly unprivilegedPortStart: boolean;
  /** It belongs to no one session. @default false */
  readonly isShared?: boolean;
  /** More annotations of the workload, asked for when it is made. */
  readonly annotations?: () => Readonly<Record<string, string>>;
}

export interface ShadowKeys {
  readonly hostPrivateKey: string;
  readonly clientPublicKey: string;
}

/** The agent's code. Its annotations can still be changed. */
export function shadowConfigMap(
  spec: ShadowSpec,
  agentSource: string,
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...ownMetadata(spec), name: partsName(spec) },
    immutable: true,
    data: { "agent.js": agentSource },
  };
}

/** The agent's keys. The client's private key never enters the cluster. */
export function shadowSecret(
  spec: ShadowSpec,
  keys: ShadowKeys,
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    metadata: { ...ownMetadata(spec), name: partsName(spec) },
    immutable: true,
    stringData: {
      host_key: keys.hostPrivateKey,
      authorized_key: keys.clientPublicKey,
    },
  };
}

/** The Shadow Pod, or the Deployment that keeps one. */
export function shadowWorkload(
  spec: ShadowSpec,
  parts: AgentParts,
  now: number,
): KubeObject {
  const metadata = ownMetadata(spec);
  metadata.annotations = {
    ...metadata.annotations,
    ...spec.annotations?.(),
    ...told(spec),
    [HEARTBEAT]: String(now),
    [REF_COUNT]: "1",
  };
  if (!spec.pod.asDeployment) {
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: podSpec(spec, parts),
    };
  }
  const { [CONTROL_BY]: _, ...podLabels } = metadata.labels ?? {};
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: 1,
      strategy: { type: "Recreate" },
      selector: { matchLabels: podLabels },
      template: {
        metadata: {
          labels: podLabels,
          annotations: {
            ...belonging(spec),
            [USER]: spec.user,
            [HOST]: hostname(),
            [STATUS_PORT]: String(spec.agent.statusPort),
          },
        },
        spec: podSpec(spec, parts),
      },
    },
  };
}

/**
 * The ReplicaSet that keeps a Shadow Pod: it adopts the pod, so that a start waits for no controller, and
 * makes another where that goes.
 *
 * It goes with its owner, the Stuntman Service, which the original ktctl deletes as well. The pods that it
 * makes are not marked as made by a ktctl, and not called as an exchange's: the original's `clean` then gives
 * the Service back, rather than to delete a pod that comes again.
 */
export function shadowKeeper(
  spec: ShadowSpec,
  parts: AgentParts,
  owner: OwnerReference,
): KubeObject {
  const metadata = ownMetadata(spec);
  const { [ROLE]: role = "", [TARGET]: target = "" } = spec.labels;
  const { [CONTROL_BY]: _, ...podLabels } = metadata.labels ?? {};
  const annotations = { ...metadata.annotations, ...told(spec) };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      ...metadata,
      name: keeperName(spec),
      annotations: { ...annotations, ...spec.annotations?.() },
      ownerReferences: [owner],
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: { [ROLE]: role, [TARGET]: target } },
      template: {
        metadata: { labels: podLabels, annotations },
        spec: podSpec(spec, parts),
      },
    },
  };
}

export function keeperName({ name }: Pick<ShadowSpec, "name">): string {
  return `kept-${name}`;
}

function partsName({ name, partsName = name }: ShadowSpec): string {
  return partsName;
}

/** Without a heartbeat: what goes with its owner is nobody else's to call abandoned. */
export function ownMetadata(
  spec: Pick<
    ShadowSpec,
    "name" | "namespace" | "labels" | "session" | "isShared"
  >,
): KubeObject["metadata"] {
  return {
    name: spec.name,
    namespace: spec.namespace,
    labels: { ...spec.labels, [CONTROL_BY]: CONTROL_BY_KT },
    annotations: belonging(spec),
  };
}

/** By whom and for what it is, and where its agent tells more. */
function told({ user, config, agent }: ShadowSpec): Record<string, string> {
  return {
    [USER]: user,
    [HOST]: hostname(),
    [CONFIG]: config,
    [STATUS_PORT]: String(agent.statusPort),
  };
}

function belonging(
  spec: Pick<ShadowSpec, "session" | "isShared">,
): Record<string, string> {
  return spec.isShared ? { [SHARED]: "1" } : { [SESSION]: spec.session };
}

function podSpec(
  spec: ShadowSpec,
  parts: AgentParts,
): Record<string, unknown> {
  const { pod, agent } = spec;
  const account = agent.restore && { serviceAccount: restoreName(spec) };
  return restrictedPod({ ...pod, ...account }, {
    uid: 1000,
    fsGroup: true,
    gracePeriodSeconds: 10,
    unprivilegedPortStart: spec.unprivilegedPortStart,
    image: pod.image,
    command: agentCommand(agent, parts),
    env: [{ name: "DENO_DIR", value: "/tmp/deno" }, {
      name: "DENO_NO_UPDATE_CHECK",
      value: "1",
    }],
    ports: spec.ports,
    statusPort: agent.statusPort,
    // no traffic comes before the link and the path are proven, and there is no other pod to take it
    isProbed: agent.ready === "attached" && !spec.isChecked,
    isKept: spec.keptWith !== undefined,
    volumes: [
      {
        name: "agent",
        mountPath: AGENT_DIR,
        source: { configMap: { name: partsName(spec) } },
      },
      {
        name: "keys",
        mountPath: AGENT_KEYS_DIR,
        source: {
          secret: {
            secretName: partsName(spec),
            defaultMode: 0o440,
            // a shared one's Secret has more in it, which is not the pod's business
            ...(spec.isShared
              ? {
                items: ["host_key", "authorized_key"].map((key) => ({
                  key,
                  path: key,
                })),
              }
              : {}),
          },
        },
      },
      { name: "tmp", mountPath: "/tmp", source: { emptyDir: {} } },
      ...restoreVolumes(spec),
    ],
  });
}
