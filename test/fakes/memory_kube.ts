// A cluster in memory, for what a real one cannot be made to do on demand.
import { WriteConflictError } from "../../src/core/errors.ts";
import type {
  JsonPatchOperation,
  KubeApi,
  KubeObject,
  ObjectRef,
} from "../../src/kube/kube_api.ts";

/** Holds one object; knows `find`, `list` and JSON patches of whole fields and annotations. */
export class MemoryKube {
  readonly namespace = "test";
  readonly server: string = "https://memory";
  object: KubeObject | undefined;
  /** What `list` gives, whatever is asked for. */
  listed: KubeObject[] = [];
  /** So many of the next writes meet somebody else's. */
  conflicts = 0;
  writes = 0;
  gitVersion = "v1.30.0";

  constructor(object?: KubeObject) {
    this.object = object;
  }

  /** In place of a real cluster's. */
  get api(): KubeApi {
    return this as unknown as KubeApi;
  }

  hosts(): string[] {
    return [];
  }

  now(): number {
    return 1_700_000_000;
  }

  find(_ref: ObjectRef): Promise<KubeObject | undefined> {
    return Promise.resolve(structuredClone(this.object));
  }

  list(): Promise<KubeObject[]> {
    return Promise.resolve(this.listed);
  }

  version() {
    const [major, minor] = this.gitVersion.slice(1).split(".").map(Number);
    return Promise.resolve({ major, minor, gitVersion: this.gitVersion });
  }

  patch(
    { name }: ObjectRef,
    operations: JsonPatchOperation[],
  ): Promise<KubeObject> {
    this.writes++;
    const object = this.object!;
    const version = Number(object.metadata.resourceVersion ?? 0);
    if (this.conflicts > 0) {
      this.conflicts--;
      object.metadata.resourceVersion = String(version + 1);
    }
    const [guard, ...rest] = operations;
    if (guard?.value !== object.metadata.resourceVersion) {
      return Promise.reject(
        new WriteConflictError("WRITE_CONFLICT", `Cannot write "${name}"`),
      );
    }
    this.object = patched(object, rest);
    this.object.metadata.resourceVersion = String(version + 1);
    return Promise.resolve(structuredClone(this.object));
  }
}

/** A copy of `object` after a JSON patch (RFC 6902) of adds, replaces and removes in maps. */
export function patched(
  object: KubeObject,
  operations: readonly JsonPatchOperation[],
): KubeObject {
  const copy = structuredClone(object);
  for (const { op, path, value } of operations) {
    const keys = path.slice(1).split("/").map((part) =>
      part.replaceAll("~1", "/").replaceAll("~0", "~")
    );
    const last = keys.pop()!;
    // deno-lint-ignore no-explicit-any -- open JSON of the API
    let at: any = copy;
    for (const key of keys) at = at[key];
    if (op !== "add" && !(last in at)) {
      throw new Error(`nothing to ${op} at ${path}`);
    }
    if (op === "remove") delete at[last];
    else at[last] = structuredClone(value);
  }
  return copy;
}
