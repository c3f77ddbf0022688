/**
 * What the rest of ktctl, and every plugin, may ask of a cluster. Types only; `connect_kube.ts`
 * makes one from a kubeconfig.
 */
import type { Duplex } from "node:stream";

/** The fields that every Kubernetes object has, as JSON. Unknown fields are kept as they came. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  // deno-lint-ignore no-explicit-any -- an API object is open JSON; callers give the precise type
  [field: string]: any;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  [field: string]: unknown;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** A kind of object: where the API serves it. */
export interface Resource {
  /** `v1`, `apps/v1`, … */
  readonly apiVersion: string;
  readonly kind: string;
  /** `pods`, `services`, … */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** One object by name. `namespace` defaults to {@link KubeApi.namespace}. */
export interface ObjectRef {
  readonly resource: Resource;
  readonly name: string;
  readonly namespace?: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Deadline of this one call. @default 30000 */
  readonly timeoutMs?: number;
}

export interface CreateOptions extends CallOptions {
  /** The server checks the object and answers as if it had been created, but keeps nothing. */
  readonly dryRun?: boolean;
}

export interface ListOptions extends CallOptions {
  /** `""` lists all namespaces. @default the session's namespace */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Of each object its metadata alone: the server leaves out the rest, which may be large, or a secret. */
  readonly metadataOnly?: boolean;
  /** No more than so many; which ones is up to the server. @default all */
  readonly most?: number;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly signal: AbortSignal;
  /** Called when the watch lost its connection and is about to start again. */
  readonly onInterrupted?: (reason: string) => void;
  /**
   * The first list is tried again as well while the API server is away: for who watches beside a session that is
   * under way, which no outage may end. @default false
   */
  readonly isPatient?: boolean;
}

/**
 * One change. A watch starts with a list: each object found comes as `ADDED`, then `SYNCED` once.
 * After an interruption it lists again and reports the difference, so no change is lost.
 */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "SYNCED" };

export type PatchType = "merge" | "json" | "strategic" | "apply";

export interface JsonPatchOperation {
  readonly op: "add" | "remove" | "replace" | "test" | "move" | "copy";
  readonly path: string;
  readonly value?: unknown;
  readonly from?: string;
}

export interface PatchOptions extends CallOptions {
  /** @default "merge" */
  readonly type?: PatchType;
  /** Patch this subresource, e.g. `status`. */
  readonly subresource?: string;
}

export interface DeleteOptions extends CallOptions {
  /** Delete only if the object still has this uid. */
  readonly uid?: string;
  /** Beside `uid`: and only if nobody has changed it since it had this version. */
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  /** @default "Background" */
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

/** The request by which an HTTP server is asked to change to another protocol. */
export interface PodUpgrade {
  readonly path: string;
  /** As in the header `Upgrade`. */
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A cluster, seen through one kubeconfig context.
 *
 * Every call fails with a `KtctlError`: `PermissionError` (`UNAUTHORISED`, `RBAC_FORBIDDEN` with the
 * missing rule as hint), `NotFoundError`, `WriteConflictError` (`WRITE_CONFLICT`, HTTP 409 on update),
 * `ConflictError` (`ALREADY_EXISTS`), `ClusterError` (`CLUSTER_UNREACHABLE`, `API_ERROR`, `API_REFUSED`,
 * `QUOTA_EXCEEDED`, `ADMISSION_DENIED`, `INVALID_OBJECT`), or `Cancelled`.
 */
export interface KubeApi {
  /** Name of the kubeconfig context in use. */
  readonly context: string;
  /** The API server's URL. */
  readonly server: string;
  /** The namespace that calls use unless they name one. */
  readonly namespace: string;
  /**
   * True in a dry run: what is changed by it is not really there. It is found again by reading, pods as ready
   * ones, but there is nobody to speak to, and nothing to wait for. @default false
   */
  readonly isPlan?: boolean;

  /** The object as the server sent it. */
  get<T extends KubeObject = KubeObject>(
    ref: ObjectRef,
    options?: CallOptions,
  ): Promise<T>;
  /** Like {@link get}, but `undefined` where there is none. */
  find<T extends KubeObject = KubeObject>(
    ref: ObjectRef,
    options?: CallOptions,
  ): Promise<T | undefined>;
  /** All pages of the list; each item carries its apiVersion and kind. */
  list<T extends KubeObject = KubeObject>(
    resource: Resource,
    options?: ListOptions,
  ): Promise<T[]>;
  create<T extends KubeObject = KubeObject>(
    resource: Resource,
    object: T,
    options?: CreateOptions,
  ): Promise<T>;
  /** PUT; with `metadata.resourceVersion` it fails on a concurrent change. */
  replace<T extends KubeObject = KubeObject>(
    ref: ObjectRef,
    object: T,
    options?: CallOptions,
  ): Promise<T>;
  patch<T extends KubeObject = KubeObject>(
    ref: ObjectRef,
    patch: unknown,
    options?: PatchOptions,
  ): Promise<T>;
  /** True if the object was there. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<boolean>;
  /** Follows a kind of object until the signal ends it; survives 410, resets, idle and an API server restart. */
  watch<T extends KubeObject = KubeObject>(
    resource: Resource,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<T>>;

  /** One TCP connection to a port on the pod's loopback. Back-pressure both ways. */
  portForward(
    pod: { name: string; namespace?: string; port: number },
    options?: CallOptions,
  ): Promise<Duplex>;

  /**
   * A connection to a program in the pod that speaks HTTP, which is asked to change to another
   * protocol. It comes from the API server, to the pod's address. Back-pressure both ways.
   */
  proxyToPod(
    pod: { name: string; namespace?: string; port: number },
    upgrade: PodUpgrade,
    options?: CallOptions,
  ): Promise<Duplex>;

  /** The server's version, e.g. `{ major: 1, minor: 20, gitVersion: "v1.20.2" }`. */
  version(
    options?: CallOptions,
  ): Promise<{ major: number; minor: number; gitVersion: string }>;
  /** Any GET path of the API server, as JSON. */
  raw<T = unknown>(path: string, options?: CallOptions): Promise<T>;

  /**
   * The IP addresses that connections to the API server, port-forwards included, have gone to so
   * far; a proxy's, where there is one.
   */
  peers(): readonly string[];

  /** The hosts that these connections are made to: the API server's, and a proxy's before it. */
  hosts(): readonly string[];

  /** The cluster's clock in unix seconds, from the `Date` header of the newest answer. */
  now(): number;

  /** Closes idle connections. */
  [Symbol.asyncDispose](): Promise<void>;
}
