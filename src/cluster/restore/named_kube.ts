import type { Duplex } from "node:stream";
import { PermissionError } from "../../core/errors.ts";
import { label } from "../../kube/annotations.ts";
import type {
  CallOptions,
  CreateOptions,
  DeleteOptions,
  KubeApi,
  KubeObject,
  ListOptions,
  ObjectRef,
  PatchOptions,
  Resource,
  WatchEvent,
  WatchOptions,
} from "../../kube/kube_api.ts";
import type { RestoreObject } from "../../link/agent/agent_config.ts";

/**
 * A cluster for one who may look at a few objects by their names, and list nothing: a list has those of
 * them that are there. Ways to pods are barred, as they are to the pod's account.
 */
export class NamedKube implements KubeApi {
  readonly #kube: KubeApi;
  readonly #objects: readonly RestoreObject[];

  constructor(kube: KubeApi, objects: readonly RestoreObject[]) {
    this.#kube = kube;
    this.#objects = objects;
  }

  get context(): string {
    return this.#kube.context;
  }

  get server(): string {
    return this.#kube.server;
  }

  get namespace(): string {
    return this.#kube.namespace;
  }

  /** By labels, each as `name=value`; by no fields. */
  async list<T extends KubeObject>(
    resource: Resource,
    { labelSelector = "", signal }: ListOptions = {},
  ): Promise<T[]> {
    const named = this.#objects.filter(({ apiVersion, kind }) =>
      apiVersion === resource.apiVersion && kind === resource.kind
    );
    const found = await Promise.all(
      named.map(({ name }) =>
        this.#kube.find<T>({ resource, name }, signal ? { signal } : {})
      ),
    );
    const pairs = labelSelector.split(",").filter((pair) => pair !== "")
      .map((pair) => pair.split("="));
    return found.filter((object): object is Awaited<T> =>
      object !== undefined &&
      pairs.every(([name = "", value]) => label(object, name) === value)
    );
  }

  get<T extends KubeObject>(ref: ObjectRef, options?: CallOptions): Promise<T> {
    return this.#kube.get(ref, options);
  }

  find<T extends KubeObject>(
    ref: ObjectRef,
    options?: CallOptions,
  ): Promise<T | undefined> {
    return this.#kube.find(ref, options);
  }

  create<T extends KubeObject>(
    resource: Resource,
    object: T,
    options?: CreateOptions,
  ): Promise<T> {
    return this.#kube.create(resource, object, options);
  }

  replace<T extends KubeObject>(
    ref: ObjectRef,
    object: T,
    options?: CallOptions,
  ): Promise<T> {
    return this.#kube.replace(ref, object, options);
  }

  patch<T extends KubeObject>(
    ref: ObjectRef,
    patch: unknown,
    options?: PatchOptions,
  ): Promise<T> {
    return this.#kube.patch(ref, patch, options);
  }

  delete(ref: ObjectRef, options?: DeleteOptions): Promise<boolean> {
    return this.#kube.delete(ref, options);
  }

  // deno-lint-ignore require-yield -- it has nothing to tell
  async *watch<T extends KubeObject>(
    { plural }: Resource,
    _options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    throw barred(`watch ${plural}`);
  }

  portForward(): Promise<Duplex> {
    return Promise.reject(barred("reach pods"));
  }

  proxyToPod(): Promise<Duplex> {
    return Promise.reject(barred("reach pods"));
  }

  version(
    options?: CallOptions,
  ): Promise<{ major: number; minor: number; gitVersion: string }> {
    return this.#kube.version(options);
  }

  raw<T>(path: string, options?: CallOptions): Promise<T> {
    return this.#kube.raw(path, options);
  }

  peers(): readonly string[] {
    return this.#kube.peers();
  }

  hosts(): readonly string[] {
    return this.#kube.hosts();
  }

  now(): number {
    return this.#kube.now();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#kube[Symbol.asyncDispose]();
  }
}

function barred(what: string): PermissionError {
  return new PermissionError(
    "RBAC_FORBIDDEN",
    `The pod's service account may not ${what}`,
  );
}
