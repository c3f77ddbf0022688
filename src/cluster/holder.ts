/** Who holds a Service or a Deployment, and the refusal that names them. */
import * as v from "valibot";
import { ConflictError, PermissionError } from "../core/errors.ts";
import {
  annotation,
  annotationText,
  CONFIG,
  HELD_BY,
  HELD_SINCE,
  HOST,
  isSwitched,
  label,
  labelSelector,
  ORIGINAL_SELECTOR,
  originalSelector,
  parseConfig,
  ROLE,
  TARGET,
  USER,
} from "../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../kube/kube_api.ts";
import { objectName } from "../kube/object_syntax.ts";
import { PODS } from "../kube/resources.ts";
import { isLegacyHeld } from "./scale/legacy_replicas.ts";
import { readRouter } from "./router/router_record.ts";
import { routerRef } from "./router/router_store.ts";
import { servicesSelecting } from "./service/services_selecting.ts";
import { scaleRecordRef } from "./scale/scale_record.ts";

export interface Holder {
  readonly user: string;
  /** Their machine; undefined where nothing tells. */
  readonly host?: string;
  /** RFC 3339; undefined where nothing tells. */
  readonly since?: string;
  readonly role?: string;
  /** The Deployment that they have scaled down, behind this Service and maybe others. */
  readonly scaled?: string;
}

/** Who asks: their own Shadow Pod holds nothing against them. */
export interface HolderOptions {
  /** The labels of the asker's Shadow Pods. */
  readonly shadowLabels: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Who took this Service, as told by its annotations and the pods that it leads to. */
export async function findHolder(
  kube: KubeApi,
  service: KubeObject,
  options: HolderOptions,
): Promise<Holder | undefined> {
  const selector: Record<string, string> = service.spec?.selector ?? {};
  if (Object.keys(selector).length === 0) return undefined;
  const ours = await findShadow(kube, service, selector, options);
  const isTaken = annotation(service, ORIGINAL_SELECTOR) !== undefined ||
    isSwitched(selector) || ours !== undefined;
  if (!isTaken) return undefined;
  const user = annotationText(service, HELD_BY) ??
    await meshUsers(kube, service, options.signal) ??
    (ours && annotationText(ours, USER)) ?? "somebody";
  const since = annotationText(service, HELD_SINCE) ??
    ours?.metadata.creationTimestamp;
  const host = ours && annotationText(ours, HOST);
  const role = selector[ROLE] ?? (ours && label(ours, ROLE));
  return {
    user,
    ...(isSwitched(selector) ? {} : scaledOf(ours)),
    ...(since === undefined ? {} : { since }),
    ...(host === undefined || selector[ROLE] === "router" ? {} : { host }),
    ...(role === undefined ? {} : { role }),
  };
}

/** A shadow of somebody else's among the pods that `selector` leads to. */
async function findShadow(
  kube: KubeApi,
  { metadata }: KubeObject,
  selector: Readonly<Record<string, string>>,
  { shadowLabels, signal }: HolderOptions,
): Promise<KubeObject | undefined> {
  const pods = await kube.list(PODS, {
    namespace: metadata.namespace ?? kube.namespace,
    labelSelector: labelSelector(selector),
    signal,
  });
  return pods.find((pod) =>
    label(pod, ROLE) !== undefined &&
    label(pod, TARGET) !== shadowLabels[TARGET]
  );
}

function scaledOf(shadow: KubeObject | undefined): { scaled?: string } {
  const config = shadow && parseConfig(annotation(shadow, CONFIG));
  const scaled = config?.get("app");
  return v.is(objectName, scaled) ? { scaled } : {};
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
  let configMap: KubeObject | undefined;
  try {
    configMap = await kube.find(ref, { signal });
  } catch (error) {
    if (error instanceof PermissionError) return undefined;
    throw error;
  }
  const read = configMap && readRouter(configMap);
  if (read === undefined || read.reason !== undefined) return undefined;
  const users = new Set(read.value.participants.map(({ user }) => user));
  return users.size === 0 ? undefined : [...users].join(", ");
}

/** Throws `ConflictError` (`SERVICE_ALREADY_EXCHANGED`, `SERVICE_MESHED`) where somebody holds it. */
export async function refuseHeldService(
  kube: KubeApi,
  service: KubeObject,
  options: HolderOptions,
): Promise<void> {
  const holder = await findHolder(kube, service, options);
  if (holder !== undefined) throw heldError(service, holder);
}

/**
 * Throws as {@link refuseHeldService} where another session answers in place of the workload: it has
 * scaled that down, for this Service or for another one of the same workload.
 */
export async function refuseReplacedPods(
  kube: KubeApi,
  service: KubeObject,
  options: HolderOptions,
): Promise<void> {
  const selector = originalSelector(service);
  const shadow = await findShadow(kube, service, selector, options);
  if (shadow === undefined) return;
  const { creationTimestamp: since } = shadow.metadata;
  const host = annotationText(shadow, HOST);
  throw heldError(service, {
    ...(host === undefined ? {} : { host }),
    user: annotationText(shadow, USER) ?? "somebody",
    role: label(shadow, ROLE)!,
    ...scaledOf(shadow),
    ...(since === undefined ? {} : { since }),
  });
}

/**
 * Throws as {@link refuseHeldService} where a Service is held whose own pods are those of the
 * Deployment: it falls back to them.
 *
 * @returns All Services whose own pods are the Deployment's.
 */
export async function refuseHeldServicesOf(
  kube: KubeApi,
  deployment: KubeObject,
  options: HolderOptions,
): Promise<KubeObject[]> {
  const { metadata, spec } = deployment;
  const labels = spec?.template?.metadata?.labels ?? {};
  const namespace = metadata.namespace ?? kube.namespace;
  const { signal } = options;
  const services = await servicesSelecting(kube, labels, { namespace, signal });
  for (const service of services) {
    // others that lead to a shadow only share labels with it, as one for all of a release does
    const isTaken = annotation(service, ORIGINAL_SELECTOR) !== undefined ||
      isSwitched(service.spec?.selector);
    if (isTaken) await refuseHeldService(kube, service, options);
  }
  return services;
}

function heldError(service: KubeObject, holder: Holder): ConflictError {
  const { name } = service.metadata;
  const isMesh = holder.role === "router" || holder.role === "shadow-mesh";
  return new ConflictError(
    isMesh ? "SERVICE_MESHED" : "SERVICE_ALREADY_EXCHANGED",
    `Cannot take Service "${name}": ${holder.user}${hostText(holder)} has ${
      isMesh ? "meshed" : "exchanged"
    } ${
      holder.scaled === undefined ? "it" : `its Deployment "${holder.scaled}"`
    }${sinceText(holder)}`,
    {
      hint:
        `Ask ${holder.user} to leave; if they are gone for good, run \`ktctl recover ${
          holder.scaled === undefined ? name : `deploy/${holder.scaled}`
        }\`.`,
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
  const since = annotationText(record, HELD_SINCE);
  const holder = {
    user: annotationText(record, HELD_BY) ?? "somebody",
    ...(since === undefined ? {} : { since }),
  };
  throw new ConflictError(
    "DEPLOYMENT_ALREADY_SCALED",
    `Cannot take Deployment "${name}": ${holder.user} has exchanged it${
      sinceText(holder)
    }`,
    {
      hint:
        `Ask ${holder.user} to leave; if they are gone for good, run \`ktctl recover deploy/${name}\`.`,
    },
  );
}

function hostText({ host }: Holder): string {
  return host === undefined ? "" : ` (on ${host})`;
}

function sinceText({ since }: Holder): string {
  return since === undefined ? "" : ` since ${since}`;
}
