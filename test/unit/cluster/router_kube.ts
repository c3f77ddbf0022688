// A cluster with a Service that is meshed: each call takes effect in an order that the test chooses.
import { Duplex } from "node:stream";
import type fc from "fast-check";
import { STATE_KEY } from "../../../src/cluster/router/router_record.ts";
import { ConflictError, LinkError } from "../../../src/core/errors.ts";
import type {
  DeleteOptions,
  JsonPatchOperation,
  KubeObject,
  ObjectRef,
  Resource,
  WatchEvent,
  WatchOptions,
} from "../../../src/kube/kube_api.ts";
import { PODS } from "../../../src/kube/resources.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";

const READY = {
  phase: "Running",
  conditions: [{ type: "Ready", status: "True" }],
  containerStatuses: [{ name: "standalone", state: { running: {} } }],
};
const CRASHED = {
  phase: "Running",
  conditions: [{ type: "Ready", status: "False" }],
  containerStatuses: [{
    name: "standalone",
    state: { waiting: { reason: "CrashLoopBackOff" } },
  }],
};

export class RouterKube extends MemoryKube {
  #scheduler: fc.Scheduler;
  #objects = new Map<string, KubeObject>();
  #watchers = new Set<(event: WatchEvent) => void>();
  #uids = 0;
  /** How often anything changed. */
  changes = 0;
  /** Names of pods that were deleted while they were ready, and the record named them. */
  readonly cut: string[] = [];

  constructor(scheduler: fc.Scheduler, objects: readonly KubeObject[]) {
    super();
    this.#scheduler = scheduler;
    for (const object of objects) this.#put(`${object.kind}`, object);
  }

  #turn(name: string): Promise<unknown> {
    return this.#scheduler.schedule(Promise.resolve(), name);
  }

  /** As the server has it. */
  at(kind: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${kind} ${name}`);
  }

  pods(): KubeObject[] {
    return [...this.#objects.values()].filter(({ kind }) => kind === "Pod");
  }

  #put(kind: string, object: KubeObject): KubeObject {
    const key = `${kind} ${object.metadata.name}`;
    const version = String(++this.changes);
    object.metadata.resourceVersion = version;
    object.metadata.uid ??= `u${++this.#uids}`;
    this.#objects.set(key, object);
    this.#tell(kind, { type: "MODIFIED", object });
    return structuredClone(object);
  }

  #tell(kind: string, event: WatchEvent): void {
    if (kind === "ReplicaSet") void this.#control();
    if (kind !== "Pod") return;
    for (const tell of this.#watchers) tell(structuredClone(event));
    void this.#control();
  }

  #controlled = false;
  #controlling = false;

  /** As the controller of ReplicaSets does: some time after a change, one look at a time. */
  async #control(): Promise<void> {
    this.#controlled = false;
    if (this.#controlling) return;
    this.#controlling = true;
    while (!this.#controlled) {
      this.#controlled = true;
      await this.#turn("control");
      const keeper = this.at("ReplicaSet", "web-kt-router");
      if (keeper !== undefined) await this.#keepOne(keeper);
    }
    this.#controlling = false;
  }

  /** Whatever has its labels, and one alone: a pod that is ready rather than another. */
  async #keepOne({ metadata: { name, uid = "" }, spec }: KubeObject) {
    const pods = this.pods().filter(({ metadata }) =>
      metadata.deletionTimestamp === undefined
    );
    const ownerReferences = [
      {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        name,
        uid,
        controller: true,
      },
    ];
    for (const pod of pods) {
      if (pod.metadata.ownerReferences !== undefined) continue;
      pod.metadata.ownerReferences = ownerReferences;
      this.#put("Pod", pod);
    }
    const rank = (pod: KubeObject) => pod.status === READY ? 0 : 1;
    const [_kept, ...surplus] = pods.sort((a, b) => rank(a) - rank(b));
    for (const pod of surplus) {
      await this.delete({ resource: PODS, name: pod.metadata.name }, {
        uid: pod.metadata.uid!,
        gracePeriodSeconds: 0,
      });
    }
    if (pods.length > 0) return;
    const { metadata } = spec.template;
    const made = `${name}-x${String(++this.#uids).padStart(4, "0")}`;
    await this.create(PODS, {
      ...spec.template,
      metadata: { ...metadata, name: made, ownerReferences },
    });
  }

  #remove(pod: KubeObject): void {
    const { name, uid } = pod.metadata;
    if (this.at("Pod", name)?.metadata.uid !== uid) return;
    this.changes++;
    this.#objects.delete(`Pod ${name}`);
    this.#tell("Pod", { type: "DELETED", object: pod });
  }

  /** The container of the pod has ended once too often. */
  async crash(name: string): Promise<void> {
    await this.#turn(`crash ${name}`);
    const pod = this.at("Pod", name);
    if (pod !== undefined) this.#put("Pod", { ...pod, status: CRASHED });
  }

  override async find(ref: ObjectRef): Promise<KubeObject | undefined> {
    await this.#turn(`find ${ref.name}`);
    return structuredClone(this.at(ref.resource.kind, ref.name));
  }

  override async list(resource?: Resource): Promise<KubeObject[]> {
    await this.#turn(`list ${resource?.plural}`);
    return resource?.kind === "Pod" ? structuredClone(this.pods()) : [];
  }

  async create(
    { kind }: Resource,
    { ...object }: KubeObject,
  ): Promise<KubeObject> {
    const { name } = object.metadata;
    await this.#turn(`create ${name}`);
    if (this.at(kind, name) !== undefined) {
      throw new ConflictError("ALREADY_EXISTS", `"${name}" is there`);
    }
    const made = this.#put(kind, { ...object, kind, status: {} });
    this.#turn(`ready ${name}`).then(() => {
      const pod = this.at(kind, name);
      const isIt = pod?.metadata.uid === made.metadata.uid;
      if (pod !== undefined && isIt) {
        this.#put(kind, { ...pod, status: READY });
      }
    });
    return made;
  }

  override async patch(
    ref: ObjectRef,
    operations: JsonPatchOperation[],
  ): Promise<KubeObject> {
    await this.#turn(`patch ${ref.name}`);
    const { kind } = ref.resource;
    this.object = structuredClone(this.at(kind, ref.name));
    return this.#put(kind, await super.patch(ref, operations));
  }

  /** A pod without a period of grace is marked first, and gone a moment later. */
  async delete(
    { name }: ObjectRef,
    { uid, gracePeriodSeconds }: DeleteOptions = {},
  ): Promise<boolean> {
    await this.#turn(`delete ${name}`);
    const pod = this.at("Pod", name);
    if (pod === undefined || uid !== pod.metadata.uid) return false;
    const isNamed = this.at("ConfigMap", "web-kt-router")?.data[STATE_KEY]
      .includes(`"${name}"`);
    if (pod.status === READY && isNamed) this.cut.push(name);
    const deletionTimestamp = "2026-01-01T00:00:00Z";
    const metadata = { ...pod.metadata, deletionTimestamp };
    this.#put("Pod", { ...pod, metadata });
    if (gracePeriodSeconds !== 0) return true;
    await this.#turn(`end ${name}`);
    this.#remove(pod);
    return true;
  }

  async *watch(
    _resource: Resource,
    { fieldSelector, signal }: WatchOptions,
  ): AsyncGenerator<WatchEvent> {
    const name = fieldSelector?.replace("metadata.name=", "");
    const events: WatchEvent[] = this.pods().map((object) => ({
      type: "ADDED",
      object: structuredClone(object),
    }));
    events.push({ type: "SYNCED" });
    let wake = () => {};
    const tell = (event: WatchEvent) => {
      events.push(event);
      wake();
    };
    const end = () => wake();
    signal.addEventListener("abort", end);
    this.#watchers.add(tell);
    try {
      while (!signal.aborted) {
        const event = events.shift();
        if (event === undefined) {
          await new Promise<void>((resolve) => wake = resolve);
        } else if (
          event.type === "SYNCED" || name === undefined ||
          event.object.metadata.name === name
        ) yield event;
      }
    } finally {
      this.#watchers.delete(tell);
      signal.removeEventListener("abort", end);
    }
  }

  /** haproxy's answer, as if it had nothing to be changed. */
  async portForward({ name }: { name: string }): Promise<Duplex> {
    await this.#turn(`ask ${name}`);
    if (this.at("Pod", name)?.status !== READY) {
      throw new LinkError("NOT_THERE", `"${name}" does not listen`);
    }
    return new Duplex({
      read() {
        this.push("\n\n# be_id\nKTCTL_END=1\n\n");
        this.push(null);
      },
      write: (_chunk, _encoding, done) => done(),
    });
  }
}
