/** What stands behind a Service: by its EndpointSlices, else by its Endpoints. */
import { PermissionError, UnsupportedError } from "../../core/errors.ts";
import type { KubeApi, KubeObject, WatchEvent } from "../../kube/kube_api.ts";
import { ENDPOINT_SLICES, ENDPOINTS } from "../../kube/resources.ts";

/** The label by which a slice names its Service. */
const SERVICE_LABEL = "kubernetes.io/service-name";

export interface Endpoint {
  readonly addresses: readonly string[];
  /** Where it is one. */
  readonly pod?: { readonly name: string; readonly uid: string };
  /** The Service's ports by name (empty for one without), and the pod's number for each. */
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

export interface WatchEndpointsOptions {
  readonly namespace?: string;
  /** @default all of the namespace */
  readonly service?: string;
  readonly signal: AbortSignal;
}

/**
 * The changes of a Service's EndpointSlices; of its Endpoints, deprecated since 1.33, only where the
 * server has no slices or does not let us read them.
 *
 * @throws {KtctlError} What the first refusal said, where there is no way.
 */
export async function* watchEndpoints(
  kube: KubeApi,
  { service, ...options }: WatchEndpointsOptions,
): AsyncGenerator<WatchEvent> {
  let refusal: unknown;
  for (const resource of [...ENDPOINT_SLICES, ENDPOINTS]) {
    const isSlice = resource !== ENDPOINTS;
    // rights do not differ by version
    if (isSlice && refusal instanceof PermissionError) continue;
    const selected = service === undefined
      ? {}
      : isSlice
      ? { labelSelector: `${SERVICE_LABEL}=${service}` }
      : { fieldSelector: `metadata.name=${service}` };
    let isAllowed = false;
    try {
      for await (
        const event of kube.watch(resource, { ...options, ...selected })
      ) {
        isAllowed = true;
        yield event;
      }
      return;
    } catch (error) {
      const isRefused = error instanceof PermissionError ||
        error instanceof UnsupportedError;
      if (isAllowed || !isRefused) throw error;
      refusal = refusal instanceof PermissionError ? refusal : error;
    }
  }
  throw refusal;
}

/** The Service that an EndpointSlice, or Endpoints, belong to. */
export function serviceOf({ kind, metadata }: KubeObject): string | undefined {
  return kind === ENDPOINTS.kind
    ? metadata.name
    : metadata.labels?.[SERVICE_LABEL];
}

/** Those that take new connections. A pod of two families is in it twice. */
export function readyEndpoints(object: KubeObject): Endpoint[] {
  return object.kind === ENDPOINTS.kind ? ofEndpoints(object) : ofSlice(object);
}

// deno-lint-ignore no-explicit-any -- open JSON of the API
type Json = any;

function ofSlice(slice: KubeObject): Endpoint[] {
  const ports = portsOf(slice["ports"]);
  const endpoints: Json[] = slice["endpoints"] ?? [];
  return endpoints.filter(({ conditions = {} }) => isReady(conditions))
    .map(({ addresses = [], targetRef }) => ({
      addresses,
      ports,
      ...podOf(targetRef),
    }));
}

/** What a server does not say of an endpoint counts as good. */
function isReady(
  { ready, terminating }: { ready?: boolean; terminating?: boolean },
): boolean {
  return ready !== false && terminating !== true;
}

function ofEndpoints(endpoints: KubeObject): Endpoint[] {
  const subsets: Json[] = endpoints["subsets"] ?? [];
  return subsets.flatMap(({ addresses = [], ports = [] }) =>
    addresses.map(({ ip, targetRef }: Json) => ({
      addresses: [ip],
      ports: portsOf(ports),
      ...podOf(targetRef),
    }))
  );
}

/** A slice may leave the number out: every port is meant, and none is known. */
function portsOf(ports: Json[] | null = []): Endpoint["ports"] {
  return (ports ?? []).filter(({ port }) => typeof port === "number")
    .map(({ name, port }) => ({ name: name ?? "", port }));
}

function podOf(targetRef: Json): Pick<Endpoint, "pod"> {
  return targetRef?.kind === "Pod"
    ? { pod: { name: targetRef.name, uid: targetRef.uid ?? "" } }
    : {};
}
