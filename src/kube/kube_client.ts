/** The API server's calls, on raw JSON: objects pass through with every field they came with. */
import type { Duplex } from "node:stream";
import {
  ClusterError,
  KtctlError,
  NotFoundError,
  UsageError,
  WriteConflictError,
} from "../core/errors.ts";
import type { CallSubject } from "./call_subject.ts";
import type { HttpCall, KubeHttp } from "./http/http.ts";
import type {
  CallOptions,
  CreateOptions,
  DeleteOptions,
  KubeApi,
  KubeObject,
  ListOptions,
  ObjectRef,
  PatchOptions,
  PatchType,
  PodUpgrade,
  Resource,
  WatchEvent,
  WatchOptions,
} from "./kube_api.ts";
import {
  refuseNoObject,
  refuseOddList,
  refuseOddObject,
} from "./object_shape.ts";
import { pathSegment } from "./http/path_segment.ts";
import { collectionPath, withQuery } from "./http/resource_path.ts";
import { openPodProxy } from "./pod_proxy.ts";
import { openPortForward } from "./port_forward.ts";
import { type Stamp, stamped } from "./stamped.ts";
import { type Listing, watchObjects, type WatchTiming } from "./watch.ts";

/** Items asked for at once. */
const PAGE_SIZE = 500;
const METADATA_LIST =
  "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

const PATCH_CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

export interface KubeClientOptions {
  readonly http: KubeHttp;
  readonly context: string;
  readonly namespace: string;
  /** What everything gets that is made. @default nothing */
  readonly stamp?: Stamp;
  readonly watchTiming?: WatchTiming;
}

/** One page of a list as the API server sends it. */
interface ListPage<T> {
  readonly apiVersion?: string;
  readonly metadata?: {
    readonly resourceVersion?: string;
    readonly continue?: string;
  };
  readonly items?: T[] | null;
}

export class KubeClient implements KubeApi {
  readonly context: string;
  readonly namespace: string;
  readonly #http: KubeHttp;
  readonly #stamp: Stamp;
  readonly #watchTiming: WatchTiming;

  constructor(options: KubeClientOptions) {
    this.context = options.context;
    this.namespace = options.namespace;
    this.#http = options.http;
    this.#stamp = options.stamp ?? { labels: {}, annotations: {} };
    this.#watchTiming = options.watchTiming ?? {};
  }

  get server(): string {
    return this.#http.server;
  }

  async get<T extends KubeObject>(
    ref: ObjectRef,
    options?: CallOptions,
  ): Promise<T> {
    const object = await this.#call<T>("read", ref, options);
    refuseOddObject(object, this.#subject("read", ref));
    return object;
  }

  async find<T extends KubeObject>(
    ref: ObjectRef,
    options?: CallOptions,
  ): Promise<T | undefined> {
    try {
      return await this.get<T>(ref, options);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(
    resource: Resource,
    options: ListOptions = {},
  ): Promise<T[]> {
    return (await this.#list<T>(resource, options)).items;
  }

  create<T extends KubeObject>(
    resource: Resource,
    object: T,
    options?: CreateOptions,
  ): Promise<T> {
    const { name, namespace } = object.metadata;
    const place = this.#place(resource, namespace);
    return this.#http.json<T>({
      ...callOptions(options),
      method: "POST",
      path: withQuery(collectionPath(resource, place), {
        dryRun: options?.dryRun ? "All" : undefined,
      }),
      body: {
        apiVersion: resource.apiVersion,
        kind: resource.kind,
        ...stamped(object, this.#stamp, resource),
      },
      subject: { action: "create", resource, name, namespace: place },
    });
  }

  replace<T extends KubeObject>(
    ref: ObjectRef,
    object: T,
    options?: CallOptions,
  ): Promise<T> {
    const { apiVersion, kind } = ref.resource;
    return this.#call<T>("replace", ref, options, {
      method: "PUT",
      body: { apiVersion, kind, ...object },
    });
  }

  /** A JSON patch whose `test` does not hold fails as a concurrent change (`WRITE_CONFLICT`). */
  async patch<T extends KubeObject>(
    ref: ObjectRef,
    patch: unknown,
    options: PatchOptions = {},
  ): Promise<T> {
    const { type = "merge", subresource } = options;
    const path = this.#path(ref) + (subresource ? `/${subresource}` : "");
    try {
      return await this.#call<T>("change", ref, options, {
        method: "PATCH",
        path: type === "apply"
          ? withQuery(path, { fieldManager: "ktctl", force: "true" })
          : path,
        body: patch,
        contentType: PATCH_CONTENT_TYPES[type],
      });
    } catch (error) {
      throw type === "json" ? asConflict(error, patch) : error;
    }
  }

  /** An object of another uid, or version, counts as "not there". */
  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const { uid, resourceVersion, gracePeriodSeconds } = options;
    const { propagationPolicy = "Background" } = options;
    try {
      await this.#call("delete", ref, options, {
        method: "DELETE",
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          propagationPolicy,
          ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
          ...(uid && { preconditions: { uid, resourceVersion } }),
        },
      });
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      if (uid !== undefined && error instanceof WriteConflictError) {
        return false;
      }
      throw error;
    }
  }

  watch<T extends KubeObject>(
    resource: Resource,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<T>> {
    const { labelSelector, fieldSelector } = options;
    const place = this.#place(resource, options.namespace);
    const path = collectionPath(resource, place);
    const subject = { action: "watch", resource, namespace: place };
    return watchObjects<T>({
      list: (signal) => this.#list<T>(resource, { ...options, signal }),
      open: (query, signal) =>
        this.#http.stream({
          path: withQuery(path, { labelSelector, fieldSelector }, query),
          subject,
          signal,
        }),
    }, { ...this.#watchTiming, ...options });
  }

  portForward(
    pod: { name: string; namespace?: string; port: number },
    options?: CallOptions,
  ): Promise<Duplex> {
    const namespace = pod.namespace ?? this.namespace;
    return openPortForward(this.#http, { ...pod, namespace }, options);
  }

  proxyToPod(
    pod: { name: string; namespace?: string; port: number },
    upgrade: PodUpgrade,
    options?: CallOptions,
  ): Promise<Duplex> {
    const namespace = pod.namespace ?? this.namespace;
    return openPodProxy(this.#http, { ...pod, namespace }, upgrade, options);
  }

  async version(
    options?: CallOptions,
  ): Promise<{ major: number; minor: number; gitVersion: string }> {
    const { major, minor, gitVersion } = await this.raw<
      { major: string; minor: string; gitVersion: string }
    >("/version", options);
    // Managed clusters append a plus sign: "20+".
    return {
      major: parseInt(major, 10),
      minor: parseInt(minor, 10),
      gitVersion,
    };
  }

  raw<T>(path: string, options?: CallOptions): Promise<T> {
    const subject = { action: "read", path };
    return this.#http.json<T>({ ...callOptions(options), path, subject });
  }

  peers(): readonly string[] {
    return [...this.#http.peers];
  }

  hosts(): readonly string[] {
    return this.#http.hosts;
  }

  now(): number {
    return this.#http.now();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
    return Promise.resolve();
  }

  /** One call about one object. */
  async #call<T>(
    action: string,
    ref: ObjectRef,
    options: CallOptions | undefined,
    call: Partial<HttpCall> = {},
  ): Promise<T> {
    const subject = this.#subject(action, ref);
    const answer = await this.#http.json<T>({
      ...callOptions(options),
      path: this.#path(ref),
      subject,
      ...call,
    });
    refuseNoObject(answer, subject);
    return answer;
  }

  #subject(
    action: string,
    { resource, name, namespace }: ObjectRef,
  ): CallSubject & { server: string } {
    const place = this.#place(resource, namespace);
    return { action, resource, name, namespace: place, server: this.server };
  }

  async #list<T extends KubeObject>(
    resource: Resource,
    options: ListOptions,
  ): Promise<Listing<T>> {
    try {
      const pageSize = Math.min(options.most ?? PAGE_SIZE, PAGE_SIZE);
      return await this.#listPages<T>(resource, options, pageSize);
    } catch (error) {
      // The pages outlived the server's memory of that moment: take all in one.
      if (!(error instanceof KtctlError) || error.code !== "RESOURCE_EXPIRED") {
        throw error;
      }
      return await this.#listPages<T>(resource, options, 0);
    }
  }

  async #listPages<T extends KubeObject>(
    resource: Resource,
    options: ListOptions,
    pageSize: number,
  ): Promise<Listing<T>> {
    const { labelSelector, fieldSelector, metadataOnly = false } = options;
    const place = this.#place(resource, options.namespace);
    const subject = { action: "list", resource, namespace: place };
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page: ListPage<T> = await this.#http.json({
        ...callOptions(options),
        ...(metadataOnly ? { accept: METADATA_LIST } : {}),
        path: withQuery(collectionPath(resource, place), {
          labelSelector,
          fieldSelector,
          limit: pageSize === 0 ? undefined : String(pageSize),
          continue: next,
        }),
        subject,
      });
      refuseOddList(page, { ...subject, server: this.server });
      for (const item of page.items ?? []) {
        if (metadataOnly) {
          // as the objects that they are of
          item.apiVersion = resource.apiVersion;
          item.kind = resource.kind;
        }
        item.apiVersion ??= resource.apiVersion;
        item.kind ??= resource.kind;
        items.push(item);
      }
      next = page.metadata?.continue || undefined;
      if (next === undefined || items.length >= (options.most ?? Infinity)) {
        return { items, resourceVersion: page.metadata?.resourceVersion ?? "" };
      }
    }
  }

  /** The namespace of a call; `undefined` for kinds without one, `""` for all. */
  #place(resource: Resource, namespace?: string): string | undefined {
    return resource.namespaced ? namespace ?? this.namespace : undefined;
  }

  #path({ resource, name, namespace }: ObjectRef): string {
    if (name === "") {
      // the server would take it for the whole collection
      throw new UsageError("NAME_EMPTY", `Name the ${resource.kind}`);
    }
    return `${collectionPath(resource, this.#place(resource, namespace))}/${
      pathSegment(name)
    }`;
  }
}

/** The API server says no more than "error in our request" (422, no causes) when a `test` fails. */
function asConflict(error: unknown, patch: unknown): unknown {
  const tests = Array.isArray(patch) &&
    patch.some((operation) => operation?.op === "test");
  const nameless = error instanceof ClusterError &&
    error.code === "INVALID_OBJECT" && error.details.length === 0;
  if (!tests || !nameless) return error;
  return new WriteConflictError("WRITE_CONFLICT", error.message, {
    cause: error,
    hint: "The object was changed since it was read. Try again.",
  });
}

function callOptions(
  options: CallOptions = {},
): Pick<HttpCall, "signal" | "timeoutMs"> {
  return { signal: options.signal, timeoutMs: options.timeoutMs };
}
