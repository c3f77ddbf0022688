/** The account as which an agent takes back what its session did (`--restoreAfter`). */
import { createHash } from "node:crypto";
import {
  type AgentConfig,
  type AgentRestore,
  type RestoreObject,
  RESTORER_ACCOUNT_DIR,
  RESTORER_FILE,
} from "../../link/agent/agent_config.ts";
import type { KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import {
  ROLE_BINDINGS,
  ROLES,
  SERVICE_ACCOUNTS,
} from "../../kube/resources.ts";
import { restoreObject } from "./restore_objects.ts";

/** What a Shadow Pod is to do when its laptop is gone. */
export interface RestoreSpec {
  /** So long no laptop was attached. */
  readonly afterMs: number;
  /** Beside the pod itself. */
  readonly objects: readonly RestoreObject[];
  /** Of its account, whatever is called otherwise of a pod made anew. @default as its parts */
  readonly name?: string;
}

/** The part of a Shadow Pod's specification that this is about. */
export interface Restored {
  readonly name: string;
  readonly partsName?: string;
  readonly namespace: string;
  readonly session: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly agent: AgentConfig;
  readonly restore?: RestoreSpec;
}

/** The ServiceAccount, the Role, the RoleBinding and the program's ConfigMap are called alike. */
export function restoreName(
  { name, partsName = name, restore }: Pick<
    Restored,
    "name" | "partsName" | "restore"
  >,
): string {
  return restore?.name ?? `${partsName}-restore`;
}

/** With the agent told; as it is where it is not to restore anything. */
export function withRestore<S extends Restored>(
  spec: S,
  { keepers, restorer }: {
    keepers: readonly ObjectRef[];
    restorer: string | undefined;
  },
): S {
  const { restore, session, namespace, labels } = spec;
  if (restore === undefined || restorer === undefined) return spec;
  const told: AgentRestore = {
    ...{ afterMs: restore.afterMs, session, namespace, shadow: labels },
    programDigest: createHash("sha256").update(restorer).digest("hex"),
    objects: [
      ...restore.objects,
      ...keepers.map(({ resource, name }) =>
        restoreObject(resource, name, ["get", "delete"])
      ),
    ],
    keepers: keepers.map(({ resource: { kind }, name }) => ({ kind, name })),
  };
  return {
    ...spec,
    agent: { ...spec.agent, restore: told },
    restore: { ...restore, name: restoreName(spec) },
  };
}

export function restoreAccount(metadata: KubeObject["metadata"]): KubeObject {
  const { apiVersion, kind } = SERVICE_ACCOUNTS;
  return { apiVersion, kind, metadata, automountServiceAccountToken: false };
}

/** Each object by its name, and what is done with it. */
export function restoreRole(
  metadata: KubeObject["metadata"],
  objects: readonly RestoreObject[],
): KubeObject {
  const { apiVersion, kind } = ROLES;
  return {
    ...{ apiVersion, kind, metadata },
    rules: objects.map(({ apiVersion, plural, name, verbs }) => ({
      apiGroups: [apiVersion.includes("/") ? apiVersion.split("/")[0] : ""],
      resources: [plural],
      resourceNames: [name],
      verbs,
    })),
  };
}

export function restoreBinding(metadata: KubeObject["metadata"]): KubeObject {
  const { apiVersion, kind } = ROLE_BINDINGS;
  const { name, namespace } = metadata;
  return {
    ...{ apiVersion, kind, metadata },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  };
}

export function restorerConfigMap(
  metadata: KubeObject["metadata"],
  source: string,
): KubeObject {
  return {
    ...{ apiVersion: "v1", kind: "ConfigMap", metadata },
    immutable: true,
    data: { [fileName(RESTORER_FILE)]: source },
  };
}

/** Its program and its token, which the kubelet renews. */
export function restoreVolumes(spec: Restored) {
  if (spec.agent.restore === undefined) return [];
  const name = restoreName(spec);
  const token = { serviceAccountToken: { path: "token" } };
  const authority = {
    configMap: {
      name: "kube-root-ca.crt",
      items: [{ key: "ca.crt", path: "ca.crt" }],
    },
  };
  return [
    {
      name: "restorer",
      mountPath: RESTORER_FILE.slice(0, -fileName(RESTORER_FILE).length - 1),
      source: { configMap: { name } },
    },
    {
      name: "account",
      mountPath: RESTORER_ACCOUNT_DIR,
      source: { projected: { sources: [token, authority] } },
    },
  ];
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
