/**
 * A cluster in which a dry run works. What is read comes from the server; what is written goes there as a
 * question, by a client that can ask no other way (`dryRun=All`), so that its rights, quotas, policies and
 * webhooks have their say; and what would have come of it is read from then on. So the very code that changes
 * a cluster makes the plan of it.
 */
import type { Duplex } from "node:stream";
import { NotFoundError, PermissionError } from "../../core/errors.ts";
import { annotation, label, ROLE, STATUS_PORT } from "../annotations.ts";
import type {
  CallOptions,
  CreateOptions,
  DeleteOptions,
  JsonPatchOperation,
  KubeApi,
  KubeObject,
  ListOptions,
  ObjectRef,
  PatchOptions,
  PodUpgrade,
  Resource,
  WatchEvent,
  WatchOptions,
} from "../kube_api.ts";
import { DEPLOYMENTS, PODS, SECRETS } from "../resources.ts";
import { podOfDeployment } from "./as_running.ts";
import { changedMade, makePlanned } from "./make_planned.ts";
import { notPlannable, notThere, thereAlready } from "./plan_faults.ts";
import { jsonPatched, mergePatched, operationsTo } from "./patch_object.ts";
import { PlanRights, REVIEWS } from "./plan_rights.ts";
import { type PlannedChange, PlannedObjects } from "./planned_objects.ts";
import { QuietTimer } from "./quiet_timer.ts";

export class PlanningKube implements KubeApi {
  readonly isPlan = true;
  readonly #server: KubeApi;
  readonly #objects: PlannedObjects;
  readonly #quiet = new QuietTimer();
  readonly #rights: PlanRights;

  /** @param server A client all of whose writes are dry runs: see `connectKube`. */
  constructor(server: KubeApi) {
    this.#server = server;
    this.#objects = new PlannedObjects(server.namespace);
    this.#rights = new PlanRights(server);
  }

  get context(): string {
    return this.#server.context;
  }

  get server(): string {
    return this.#server.server;
  }

  get namespace(): string {
    return this.#server.namespace;
  }

  /** What came of all that was done so far. */
  changes(): PlannedChange[] {
    return this.#objects.changes();
  }

  /** Resolves when nothing was asked of the cluster for so long, though something was before. */
  quietFor(ms: number, signal: AbortSignal): Promise<void> {
    return this.#quiet.lasts(ms, signal);
  }

  get<T extends KubeObject>(ref: ObjectRef, options?: CallOptions): Promise<T> {
    return this.#quiet.during(() => this.#get<T>(ref, options));
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

  list<T extends KubeObject>(
    resource: Resource,
    options: ListOptions = {},
  ): Promise<T[]> {
    return this.#quiet.during(async () =>
      this.#objects.merged(
        resource,
        await this.#server.list<T>(resource, options),
        options,
      )
    );
  }

  create<T extends KubeObject>(
    resource: Resource,
    object: T,
    options: CreateOptions = {},
  ): Promise<T> {
    return this.#quiet.during(() =>
      options.dryRun || resource.apiVersion.startsWith(REVIEWS)
        ? this.#server.create(resource, object, options) // a question as it is
        : this.#create(resource, object, options)
    );
  }

  replace<T extends KubeObject>(
    ref: ObjectRef,
    object: T,
    options?: CallOptions,
  ): Promise<T> {
    return this.#quiet.during(() =>
      this.#change(ref, (current) => ({ ...current, ...object }), {
        ...options,
        ask: () => this.#server.replace(ref, object, options),
      })
    );
  }

  patch<T extends KubeObject>(
    ref: ObjectRef,
    patch: unknown,
    options: PatchOptions = {},
  ): Promise<T> {
    const { type = "merge", subresource } = options;
    return this.#quiet.during(() => {
      if (type === "json" && subresource === undefined) {
        const operations = patch as readonly JsonPatchOperation[];
        return this.#change(
          ref,
          (current) => jsonPatched(current, operations),
          { ...options, operations },
        );
      }
      if (type === "merge" && subresource === undefined) {
        return this.#change(
          ref,
          (current) => mergePatched(current, patch),
          options,
        );
      }
      const ask = () => this.#server.patch<T>(ref, patch, options);
      return this.#change<T>(ref, undefined, { ...options, ask });
    });
  }

  delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    return this.#quiet.during(() => this.#delete(ref, options));
  }

  /**
   * What there is, and then nothing more: nobody changes anything in a plan. As the real one does, it fails
   * for who may not watch.
   */
  async *watch<T extends KubeObject>(
    resource: Resource,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const { signal, namespace, labelSelector, fieldSelector } = options;
    const wanted = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      signal,
    };
    let found: T[];
    try {
      [found] = await Promise.all([
        this.list<T>(resource, wanted),
        this.#rights.refuseForbidden({ action: "watch", resource, namespace }),
      ]);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    for (const object of found) yield { type: "ADDED", object };
    yield { type: "SYNCED" };
    if (signal.aborted) return;
    await new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
  }

  /** Opens that of an agent's status page, which only tells. Else it says what the user may not, or that nobody is there. */
  portForward(
    pod: { name: string; namespace?: string; port: number },
    options?: CallOptions,
  ): Promise<Duplex> {
    return this.#quiet.during(async () =>
      await this.#isStatusPage(pod)
        ? await this.#server.portForward(pod, options)
        : await this.#rights.refuseWay(pod, "portforward")
    );
  }

  proxyToPod(
    pod: { name: string; namespace?: string; port: number },
    _upgrade: PodUpgrade,
    _options?: CallOptions,
  ): Promise<Duplex> {
    return this.#quiet.during(() => this.#rights.refuseWay(pod, "proxy"));
  }

  version(options?: CallOptions): ReturnType<KubeApi["version"]> {
    return this.#server.version(options);
  }

  raw<T>(path: string, options?: CallOptions): Promise<T> {
    return this.#quiet.during(() => this.#server.raw<T>(path, options));
  }

  peers(): readonly string[] {
    return this.#server.peers();
  }

  hosts(): readonly string[] {
    return this.#server.hosts();
  }

  now(): number {
    return this.#server.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#quiet[Symbol.dispose]();
    await this.#server[Symbol.asyncDispose]();
  }

  async #get<T extends KubeObject>(
    ref: ObjectRef,
    options?: CallOptions,
  ): Promise<T> {
    const entry = this.#objects.find(ref);
    if (entry === undefined) return await this.#server.get<T>(ref, options);
    if (entry.after === undefined) throw notThere("read", ref);
    return structuredClone(entry.after) as T;
  }

  async #create<T extends KubeObject>(
    resource: Resource,
    object: T,
    options: CreateOptions,
  ): Promise<T> {
    const { name, namespace } = object.metadata;
    const place = namespace === undefined ? {} : { namespace };
    const known = this.#objects.find({ resource, name, ...place });
    if (known?.after !== undefined) throw thereAlready(resource, name);
    const { after, made, unchecked } = await makePlanned(this.#server, {
      ...{ ...options, resource, object },
      isThere: known?.before !== undefined,
      isPlanned: (text) => this.#objects.makesOneNamedIn(text),
    });
    this.#objects.set({
      ...{ resource, name, namespace, after, made },
      before: known?.before,
      operations: [],
      ...(unchecked !== undefined && { unchecked }),
    });
    if (resource.kind === DEPLOYMENTS.kind) {
      const pod = podOfDeployment(after);
      this.#objects.set({
        ...{ resource: PODS, name: pod.metadata.name, namespace },
        ...{ before: undefined, after: pod, made: pod, isImplied: true },
        operations: [],
      });
    }
    return structuredClone(after) as T;
  }

  /**
   * Of what the plan has made it is done here; of what the server has, the server is asked for all changes so
   * far at once, as it has kept none of them.
   */
  async #change<T extends KubeObject>(
    ref: ObjectRef,
    changed: ((current: KubeObject) => KubeObject) | undefined,
    { operations, ask, ...options }: CallOptions & {
      operations?: readonly JsonPatchOperation[];
      /** Where it cannot be told as operations. */
      ask?: () => Promise<T>;
    },
  ): Promise<T> {
    const current = await this.#get(ref, options);
    const entry = this.#objects.find(ref);
    if (entry?.made !== undefined) {
      if (changed === undefined) throw notPlannable(ref);
      await this.#refuseForbidden("change", ref);
      entry.after = changed(current);
      entry.made = changedMade(entry.made, entry.after, changed);
      return structuredClone(entry.after) as T;
    }
    const before = entry?.before ?? current;
    const isFirst = entry === undefined || entry.operations.length === 0;
    const added = operations ??
      (changed === undefined ? [] : operationsTo(current, changed(current)));
    const all = [...entry?.operations ?? [], ...added];
    let after: KubeObject;
    if (ask !== undefined && isFirst) after = await ask();
    else if (changed === undefined) throw notPlannable(ref);
    else {after = await this.#askForChange(
        ref,
        { all, changed, current },
        options,
      );}
    this.#objects.set({
      ...ref,
      before,
      after,
      operations: ask === undefined ? all : operationsTo(before, after),
    });
    return structuredClone(after) as T;
  }

  async #askForChange(
    ref: ObjectRef,
    { all, changed, current }: {
      all: readonly JsonPatchOperation[];
      changed: (current: KubeObject) => KubeObject;
      current: KubeObject;
    },
    options: CallOptions,
  ): Promise<KubeObject> {
    // values of a Secret are nobody's to send once more: who may change its metadata may change it
    const isSecret = ref.resource.kind === SECRETS.kind;
    const told = isSecret
      ? all.filter(({ path }) => path.startsWith("/metadata/"))
      : all;
    const after = await this.#server.patch(ref, told, {
      ...options,
      type: "json",
    });
    return isSecret ? changed(current) : after;
  }

  async #delete(ref: ObjectRef, options: DeleteOptions): Promise<boolean> {
    const entry = this.#objects.find(ref);
    if (entry !== undefined && entry.after === undefined) return false;
    const { uid, signal } = options;
    const current = await this.#findOrStub(ref, { uid, signal });
    if (current === undefined) return false;
    if (uid !== undefined && current.metadata.uid !== uid) return false;
    if (entry?.made !== undefined) {
      await this.#refuseForbidden("delete", ref);
      this.#objects.remove(entry);
      return true;
    }
    // the server knows nothing of the plan's versions
    const { resourceVersion: _, ...asked } = options;
    if (!await this.#server.delete(ref, asked)) return false;
    const before = entry?.before ?? current;
    const deleted = { ...ref, before, after: current, operations: [] };
    this.#objects.remove(this.#objects.set(deleted));
    return true;
  }

  /** Of an object that the server does not have, it cannot be asked for the call itself. */
  #refuseForbidden(
    action: string,
    { resource, namespace }: ObjectRef,
  ): Promise<void> {
    return this.#rights.refuseForbidden({ action, resource, namespace });
  }

  /** Who may delete an object need not be one who may read it. */
  async #findOrStub(
    ref: ObjectRef,
    { uid, signal }: {
      readonly uid: string | undefined;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<KubeObject | undefined> {
    try {
      return await this.find(ref, signal === undefined ? {} : { signal });
    } catch (error) {
      if (!(error instanceof PermissionError)) throw error;
      const { name, resource: { apiVersion, kind } } = ref;
      return { apiVersion, kind, metadata: { name, ...(uid && { uid }) } };
    }
  }

  async #isStatusPage(
    { name, namespace, port }: {
      name: string;
      namespace?: string;
      port: number;
    },
  ): Promise<boolean> {
    const ref = { resource: PODS, name };
    const where = namespace === undefined ? ref : { ...ref, namespace };
    if (this.#objects.find(where)?.made !== undefined) return false;
    const pod = await this.find(where);
    return pod !== undefined && label(pod, ROLE) !== undefined &&
      annotation(pod, STATUS_PORT) === String(port);
  }
}
