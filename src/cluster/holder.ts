/** Who holds a Service or a Deployment, and the refusal that names them. */
import { ConflictError } from "../core/errors.ts";
import {
  annotation,
  annotationText,
  HELD_BY,
  HELD_SINCE,
  isSwitched,
  label,
  labelSelector,
  ORIGINAL_SELECTOR,
  ROLE,
  USER,
} from "../kube/contract.ts";
import type { KubeApi, KubeObject } from "../kube/kube_api.ts";
import { PODS } from "../kube/resources.ts";
import { isLegacyHeld } from "./legacy_replicas.ts";
import { readRouter } from "./router_record.ts";
import { routerRef } from "./router_store.ts";
import { scaleRecordRef } from "./scale_record.ts";

export interface Holder {
  readonly user: string;
  /** RFC 3339; undefined where nothing tells. */
  readonly since?: string;
  readonly role?: string;
}

/** Who took this Service, as told by its annotations and the pods that it leads to. */
export async function findHolder(
  kube: KubeApi,
  service: KubeObject,
  signal: AbortSignal,
): Promise<Holder | undefined> {
  const selector: Record<string, string> = service.spec?.selector ?? {};
  if (Object.keys(selector).length === 0) return undefined;
  const pods = await kube.list(PODS, {
    namespace: service.metadata.namespace ?? kube.namespace,
    labelSelector: labelSelector(selector),
    signal,
  });
  const ours = pods.find((pod) => label(pod, ROLE) !== undefined);
  const isTaken = annotation(service, ORIGINAL_SELECTOR) !== undefined ||
    isSwitched(selector) || ours !== undefined;
  if (!isTaken) return undefined;
  const user = annotationText(service, HELD_BY) ??
    await meshUsers(kube, service, signal) ??
    (ours && annotationText(ours, USER)) ?? "somebody";
  const since = annotationText(service, HELD_SINCE) ??
    ours?.metadata.creationTimestamp;
  const role = selector[ROLE] ?? (ours && label(ours, ROLE));
  return {
    user,
    ...(since === undefined ? {} : { since }),
    ...(role === undefined ? {} : { role }),
  };
}

/** All who share the Service's router: "alice, bob". */
async function meshUsers(
  kube: KubeApi,
  service: KubeObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (service.spec?.selector?.[ROLE] !== "router") return undefined;
  const { name, namespace } = service.metadata;
  const ref = routerRef(name, namespace ?? kube.namespace);
  const configMap = await kube.find(ref, { signal });
  const read = configMap && readRouter(configMap);
  if (read === undefined || read.reason !== undefined) return undefined;
  const users = new Set(read.value.participants.map(({ user }) => user));
  return users.size === 0 ? undefined : [...users].join(", ");
}

/** Throws `ConflictError` (`SERVICE_ALREADY_EXCHANGED`, `SERVICE_MESHED`) where somebody holds it. */
export async function refuseHeldService(
  kube: KubeApi,
  service: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const holder = await findHolder(kube, service, signal);
  if (holder === undefined) return;
  const { name } = service.metadata;
  const isMesh = holder.role === "router" || holder.role === "shadow-mesh";
  throw new ConflictError(
    isMesh ? "SERVICE_MESHED" : "SERVICE_ALREADY_EXCHANGED",
    `Cannot take Service "${name}": ${holder.user} has ${
      isMesh ? "meshed" : "exchanged"
    } it${sinceText(holder)}`,
    {
      hint:
        `Ask ${holder.user} to leave; if they are gone for good, run \`ktctl recover ${name}\``,
    },
  );
}

/** Throws `ConflictError` (`DEPLOYMENT_ALREADY_SCALED`) where somebody scaled it down for an exchange. */
export async function refuseHeldDeployment(
  kube: KubeApi,
  deployment: KubeObject,
  signal?: AbortSignal,
): Promise<void> {
  const { name, namespace } = deployment.metadata;
  const ref = scaleRecordRef(name, namespace ?? kube.namespace);
  const record = await kube.find(ref, signal === undefined ? {} : { signal }) ??
    (isLegacyHeld(deployment) ? deployment : undefined);
  if (record === undefined) return;
  const since = annotation(record, HELD_SINCE);
  const holder = {
    user: annotation(record, HELD_BY) ?? "somebody",
    ...(since === undefined ? {} : { since }),
  };
  throw new ConflictError(
    "DEPLOYMENT_ALREADY_SCALED",
    `Cannot take Deployment "${name}": ${holder.user} has exchanged it${
      sinceText(holder)
    }`,
    {
      hint:
        `Ask ${holder.user} to leave; if they are gone for good, run \`ktctl clean\``,
    },
  );
}

function sinceText({ since }: Holder): string {
  return since === undefined ? "" : ` since ${since}`;
}
