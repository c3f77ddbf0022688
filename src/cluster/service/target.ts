/** Finds the Service, and the Deployment where one is meant, that a command names. */
import { didYouMean } from "../../core/did_you_mean.ts";
import {
  NotFoundError,
  PermissionError,
  UnsupportedError,
  UsageError,
} from "../../core/errors.ts";
import {
  includesLabels,
  originalSelector,
  stuntmanName,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject, Resource } from "../../kube/kube_api.ts";
import { DEPLOYMENTS, SERVICES } from "../../kube/resources.ts";
import { servicePorts } from "./expose.ts";
import { foundElsewhere, type Wanted } from "../object/found_elsewhere.ts";

export interface ResourceName {
  readonly kind: "service" | "deployment";
  readonly name: string;
}

const KINDS: ReadonlyMap<string, ResourceName["kind"]> = new Map([
  ["svc", "service"],
  ["service", "service"],
  ["services", "service"],
  ["deploy", "deployment"],
  ["deployment", "deployment"],
  ["deployments", "deployment"],
]);

/** Reads `web`, `svc/web` or `deploy/web`. Throws `UsageError` (`TARGET_INVALID`). */
export function parseResourceName(text: string): ResourceName {
  const parts = text.split("/");
  if (parts.length > 2 || parts.some((part) => part === "")) {
    throw invalidTarget(text);
  }
  const [first, second] = parts as [string, string | undefined];
  if (second === undefined) return { kind: "service", name: first };
  const kind = KINDS.get(first.toLowerCase());
  if (kind === undefined) {
    throw new UsageError(
      "TARGET_INVALID",
      `Cannot take "${text}": "${first}" is neither a Service nor a Deployment`,
      {
        hint: "Name a Service (web or svc/web) or a Deployment (deploy/web).",
      },
    );
  }
  return { kind, name: second };
}

function invalidTarget(text: string): UsageError {
  return new UsageError(
    "TARGET_INVALID",
    `Cannot read "${text}" as a resource name`,
    {
      hint: "Name a Service (web or svc/web) or a Deployment (deploy/web).",
    },
  );
}

export interface FoundTarget {
  readonly service: KubeObject;
  readonly deployment?: KubeObject;
}

export interface FindTargetOptions {
  readonly signal: AbortSignal;
  /** Told of a Deployment's other Services. */
  readonly warn: (message: string) => void;
  readonly preferred?: (service: KubeObject) => boolean;
}

/** The Service meant by `name`; for a Deployment the first Service that selects its pods, one of `preferred` before others. */
export async function findTarget(
  kube: KubeApi,
  name: ResourceName,
  options: FindTargetOptions,
): Promise<FoundTarget> {
  const { signal } = options;
  if (name.kind === "service") {
    return {
      service: await getNamed(kube, SERVICES, { name: name.name, signal }),
    };
  }
  const deployment = await getNamed(kube, DEPLOYMENTS, {
    name: name.name,
    signal,
  });
  const labels = deployment.spec?.template?.metadata?.labels ?? {};
  const { preferred = () => false } = options;
  const services = (await kube.list(SERVICES, { signal })).filter((service) => {
    const selector = originalSelector(service);
    return Object.keys(selector).length > 0 &&
      includesLabels(labels, selector) &&
      !service.metadata.name.endsWith(stuntmanName(""));
  }).toSorted((a, b) => Number(preferred(b)) - Number(preferred(a)));
  const [service] = services;
  if (service === undefined) {
    throw new NotFoundError(
      "SERVICE_NOT_FOUND",
      `No Service selects the pods of Deployment "${name.name}"`,
      {
        hint: "Name the Service itself.",
      },
    );
  }
  if (services.length > 1) {
    const others = services.slice(1).map(({ metadata }) => `"${metadata.name}"`)
      .join(", ");
    options.warn(
      `Taking Service "${service.metadata.name}" of Deployment "${name.name}"; it also has ${others}`,
    );
  }
  return { service, deployment };
}

/** The object that a resource name means, whether or not there is one. */
export function wantedObject({ kind, name }: ResourceName): Wanted {
  return { resource: kind === "service" ? SERVICES : DEPLOYMENTS, name };
}

/** By name, else `NotFoundError` with what was probably meant. */
export async function getNamed(
  kube: KubeApi,
  resource: Resource,
  { name, signal }: { name: string; signal: AbortSignal },
): Promise<KubeObject> {
  const found = await kube.find({ resource, name }, { signal });
  if (found !== undefined) return found;
  const [candidates, elsewhere] = await Promise.all([
    listNames(kube, resource, signal),
    foundElsewhere(kube, { resource, name }, signal),
  ]);
  const guess = didYouMean(name, candidates);
  const hint = elsewhere !== undefined
    ? elsewhere
    : guess !== undefined
    ? `Did you mean "${guess}"?`
    : candidates.length > 0
    ? `There are ${
      candidates.slice(0, 10).map((one) => `"${one}"`).join(", ")
    }${candidates.length > 10 ? ", …" : "."}`
    : `Namespace "${kube.namespace}" has no ${resource.kind}; choose another namespace with -n.`;
  throw new NotFoundError(
    `${resource.kind.toUpperCase()}_NOT_FOUND`,
    `No ${resource.kind} "${name}" in namespace "${kube.namespace}"`,
    { hint },
  );
}

/** What there is of a kind, for hints; nothing where that may not be listed. */
export async function listNames(
  kube: KubeApi,
  resource: Resource,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    return (await kube.list(resource, { signal })).map(({ metadata }) =>
      metadata.name
    );
  } catch (error) {
    if (error instanceof PermissionError) return []; // the hint is a courtesy
    throw error;
  }
}

/** Refuses a Service whose traffic cannot be switched by its selector. */
export function refuseUnsuitable(service: KubeObject): void {
  const { name } = service.metadata;
  const spec = service.spec ?? {};
  if (spec.type === "ExternalName") {
    throw new UnsupportedError(
      "SERVICE_EXTERNAL_NAME",
      `Cannot take Service "${name}": it is an ExternalName`,
      {
        hint:
          `It only names "${spec.externalName}": its traffic does not pass through the cluster.`,
      },
    );
  }
  if (spec.clusterIP === "None") {
    throw new UnsupportedError(
      "SERVICE_HEADLESS",
      `Cannot take Service "${name}": it is headless`,
      {
        hint:
          "Its clients connect to pod addresses directly: take a Service with a cluster IP.",
      },
    );
  }
  if (Object.keys(spec.selector ?? {}).length === 0) {
    throw new UnsupportedError(
      "SERVICE_WITHOUT_SELECTOR",
      `Cannot take Service "${name}": it has no selector`,
      {
        hint:
          "Its endpoints are kept by hand or by a controller, so there is nothing to switch.",
      },
    );
  }
}

/**
 * Where the whole Service is switched, a port that the agent cannot carry would go dead.
 * Throws `UnsupportedError` (`UDP_PORT`).
 */
export function refuseOtherProtocols(service: KubeObject, hint: string): void {
  const port = servicePorts(service).find(({ protocol }) => protocol !== "TCP");
  if (port === undefined) return;
  throw new UnsupportedError(
    "UDP_PORT",
    `Cannot take Service "${service.metadata.name}": its port ${port.port} is ${port.protocol}, and nothing would answer there`,
    { hint },
  );
}
